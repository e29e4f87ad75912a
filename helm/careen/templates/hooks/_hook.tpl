{{/*
Annotations of what a hook brings: made anew each time, gone when the event went well. A Job or Pod that failed stays,
for its log.
Takes (dict "event" "pre-delete" "weight" 0).
*/}}
{{- define "careen.hook" -}}
helm.sh/hook: {{ .event }}
helm.sh/hook-weight: {{ .weight | quote }}
helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded
helm.sh/hook-output-log-policy: hook-failed
{{- end }}

{{/*
Spec of a pod that runs one program of the operators' image once, where the reboot lock may run and on cordoned nodes.
Takes (dict "root" $ "account" "careen-check" "program" "check.mjs" "args" (list "--no-dial")).
*/}}
{{- define "careen.hookPod" -}}
serviceAccountName: {{ .account }}
automountServiceAccountToken: true
enableServiceLinks: false
restartPolicy: Never
priorityClassName: {{ .root.Values.rebootLock.priorityClassName | quote }}
{{- with .root.Values.image.pullSecrets }}
imagePullSecrets: {{- toYaml . | nindent 2 }}
{{- end }}
securityContext: {{- include "careen.restrictedPod" . | nindent 2 }}
{{- with .root.Values.rebootLock.nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
tolerations:
  - { key: node.kubernetes.io/unschedulable, operator: Exists, effect: NoSchedule }
  {{- with .root.Values.rebootLock.tolerations }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
containers:
  - name: {{ .program | trimSuffix ".mjs" }}
    image: {{ include "careen.image" (dict "root" .root "image" .root.Values.image.operators) | quote }}
    imagePullPolicy: {{ .root.Values.image.pullPolicy }}
    command: ["node", "/app/{{ .program }}"]
    args: {{- toYaml .args | nindent 6 }}
    env:
      - name: POD_NAME
        valueFrom: { fieldRef: { fieldPath: metadata.name } }
      - name: POD_NAMESPACE
        valueFrom: { fieldRef: { fieldPath: metadata.namespace } }
    resources:
      requests: { cpu: 20m, memory: 96Mi }
      limits: { memory: 512Mi }
    terminationMessagePolicy: FallbackToLogsOnError
    securityContext: {{- include "careen.restrictedContainer" . | nindent 6 }}
{{- end }}
