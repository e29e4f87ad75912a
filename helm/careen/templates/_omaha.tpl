{{/* What the Omaha endpoint adds to the update operator, as YAML; nothing while it is off. */}}
{{- define "careen.omaha" -}}
{{- with .Values.omaha }}
{{- if .enabled }}
single: {{ not .database.secretName }}
args:
  - --omaha-address=:{{ .port }}
  - --omaha-trusted-proxies={{ join "," .trustedProxies }}
  - --omaha-address-rate={{ .addressRate }}
  - --omaha-machine-rate={{ .machineRate }}
  - --omaha-silent-after={{ .silentAfter }}
  - --omaha-forget-after={{ .forgetAfter }}
  - --omaha-keep-history={{ .keepHistory }}
  {{- if not .database.secretName }}
  - --omaha-file=/var/lib/careen/machines.db
  {{- end }}
{{- if or .database.secretName .secret.secretName }}
env:
  {{- if .database.secretName }}
  - name: OMAHA_DATABASE
    valueFrom: { secretKeyRef: { name: {{ .database.secretName }}, key: {{ .database.secretKey }} } }
  {{- end }}
  {{- if .secret.secretName }}
  - name: OMAHA_SECRET
    valueFrom: { secretKeyRef: { name: {{ .secret.secretName }}, key: {{ .secret.secretKey }} } }
  {{- end }}
{{- end }}
ports:
  - { name: omaha, containerPort: {{ .port }} }
{{- if not .database.secretName }}
directory: /var/lib/careen
volume:
  persistentVolumeClaim: { claimName: {{ .file.existingClaim | default "careen-machines" }} }
{{- end }}
{{- end }}
{{- end }}
{{- end }}
