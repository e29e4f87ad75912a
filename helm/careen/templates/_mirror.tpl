{{/* What a bucket adds to the mirror: "args" and "mounts", as YAML. Takes .Values.mirror.s3. */}}
{{- define "careen.mirrorBucket" -}}
args:
  - --s3-bucket={{ .bucket }}
  - --s3-region={{ .region }}
  - --s3-prefix={{ .prefix }}
  - {{ if .pathStyle }}--s3-path-style{{ else }}--no-s3-path-style{{ end }}
  {{- with .endpoint }}
  - --s3-endpoint={{ . }}
  {{- end }}
  {{- if .credentials.secretName }}
  - --s3-credentials=/etc/careen/s3-credentials
  {{- end }}
  {{- if .ca.configMapName }}
  - --s3-ca=/etc/careen/s3-ca/{{ .ca.configMapKey }}
  {{- end }}
mounts:
  {{- with .credentials.secretName }}
  - name: s3-credentials
    path: /etc/careen/s3-credentials
    source: { secret: { secretName: {{ . | quote }}, defaultMode: 288 } }
  {{- end }}
  {{- with .ca.configMapName }}
  - name: s3-ca
    path: /etc/careen/s3-ca
    source: { configMap: { name: {{ . | quote }} } }
  {{- end }}
{{- end }}
