{{/*
ServiceAccount, Deployment, Service, PodDisruptionBudget and rights of an operator.
Takes (dict "root" $ "name" "careen-update" "program" "update.mjs" "values" .Values.update). One that keeps files also has
"volume" (a volume source), "directory" (where it is mounted) and "ports" (container ports beside that of health). "args"
and "env" are added to the container's; "single" makes it one replica. "scratch" says that the volume is each replica's
own. "mounts" are read-only volumes: a list of (dict "name" "ca" "path" "/etc/ca" "source" (a volume source)).
*/}}
{{- define "careen.operator" -}}
apiVersion: v1
kind: ServiceAccount
metadata:
  name: {{ .name }}
  namespace: {{ .root.Release.Namespace }}
  labels: {{- include "careen.labels" . | nindent 4 }}
automountServiceAccountToken: false
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ .name }}
  namespace: {{ .root.Release.Namespace }}
  labels: {{- include "careen.labels" . | nindent 4 }}
spec:
  replicas: {{ if .single }}1{{ else }}{{ .values.replicas }}{{ end }}
  revisionHistoryLimit: 3
  # All new replicas come up as standbys before the first old one goes, so that leadership changes hands once; who
  # leads gives up its lease when it is asked to end.
  strategy:
    {{- if and .volume (not .scratch) }}
    type: Recreate # the volume is for one at a time
    {{- else }}
    type: RollingUpdate
    rollingUpdate: { maxSurge: 100%, maxUnavailable: 0 }
    {{- end }}
  selector:
    matchLabels: {{- include "careen.selector" . | nindent 6 }}
  template:
    metadata:
      labels: {{- include "careen.labels" . | nindent 8 }}
      annotations:
        kubectl.kubernetes.io/default-container: operator
        {{- with .values.podAnnotations }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
    spec:
      serviceAccountName: {{ .name }}
      automountServiceAccountToken: true
      enableServiceLinks: false
      priorityClassName: {{ .values.priorityClassName | quote }}
      terminationGracePeriodSeconds: {{ .values.terminationGracePeriodSeconds }}
      # The first process is the sandbox's, not Node: to the first one of all the kernel passes no SIGTERM that it does
      # not handle yet, and a pod that is deleted while Node starts would take its whole grace period.
      shareProcessNamespace: true
      {{- with .root.Values.image.pullSecrets }}
      imagePullSecrets: {{- toYaml . | nindent 8 }}
      {{- end }}
      securityContext: {{- include "careen.restrictedPod" . | nindent 8 }}
        {{- if .volume }}
        fsGroup: 65532
        fsGroupChangePolicy: OnRootMismatch
        {{- end }}
      {{- with .values.nodeSelector }}
      nodeSelector: {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with .values.tolerations }}
      tolerations: {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with .values.topologySpreadConstraints }}
      topologySpreadConstraints:
        {{- range . }}
        {{- $pods := dict "matchLabels" (include "careen.selector" $ | fromYaml) }}
        - {{- merge (dict) . (dict "labelSelector" $pods) | toYaml | nindent 10 }}
        {{- end }}
      {{- end }}
      affinity:
        {{- if .values.affinity }}
        {{- toYaml .values.affinity | nindent 8 }}
        {{- else }}
        podAntiAffinity:
          preferredDuringSchedulingIgnoredDuringExecution:
            - weight: 100
              podAffinityTerm:
                topologyKey: kubernetes.io/hostname
                labelSelector:
                  matchLabels: {{- include "careen.selector" . | nindent 20 }}
        {{- end }}
      containers:
        - name: operator
          image: {{ include "careen.image" (dict "root" .root "image" .root.Values.image.operators) | quote }}
          imagePullPolicy: {{ .root.Values.image.pullPolicy }}
          command: ["node", "/app/{{ .program }}"]
          args:
            - --address=:8080
            - --log-level={{ .root.Values.logLevel }}
            - --lease-duration={{ .root.Values.lease.duration }}
            - --renew-deadline={{ .root.Values.lease.renewDeadline }}
            - --retry-period={{ .root.Values.lease.retryPeriod }}
            {{- range .args }}
            - {{ . | quote }}
            {{- end }}
            {{- range .values.extraArgs }}
            - {{ . | quote }}
            {{- end }}
          env:
            - name: POD_NAME
              valueFrom: { fieldRef: { fieldPath: metadata.name } }
            - name: POD_NAMESPACE
              valueFrom: { fieldRef: { fieldPath: metadata.namespace } }
            # The node that a replica runs on is rebooted last.
            - name: NODE_NAME
              valueFrom: { fieldRef: { fieldPath: spec.nodeName } }
            {{- with .env }}
            {{- toYaml . | nindent 12 }}
            {{- end }}
          ports:
            - { name: http, containerPort: 8080 }
            {{- with .ports }}
            {{- toYaml . | nindent 12 }}
            {{- end }}
          # Node and its bundle take a second, on a busy machine many.
          startupProbe:
            httpGet: { path: /healthz, port: http }
            periodSeconds: 1
            failureThreshold: 60
          livenessProbe:
            httpGet: { path: /healthz, port: http }
            periodSeconds: 10
            failureThreshold: 3
          readinessProbe:
            httpGet: { path: /readyz, port: http }
            periodSeconds: 5
          resources: {{- toYaml .values.resources | nindent 12 }}
          terminationMessagePolicy: FallbackToLogsOnError
          securityContext: {{- include "careen.restrictedContainer" . | nindent 12 }}
          {{- if or .volume .mounts }}
          volumeMounts:
            {{- if .volume }}
            - { name: data, mountPath: {{ .directory }} }
            {{- end }}
            {{- range .mounts }}
            - { name: {{ .name }}, mountPath: {{ .path }}, readOnly: true }
            {{- end }}
          {{- end }}
      {{- if or .volume .mounts }}
      volumes:
        {{- with .volume }}
        - {{- merge (dict "name" "data") . | toYaml | nindent 10 }}
        {{- end }}
        {{- range .mounts }}
        - {{- merge (dict "name" .name) .source | toYaml | nindent 10 }}
        {{- end }}
      {{- end }}
---
# Health and metrics. Headless: each replica has its own.
apiVersion: v1
kind: Service
metadata:
  name: {{ .name }}
  namespace: {{ .root.Release.Namespace }}
  labels: {{- include "careen.labels" . | nindent 4 }}
spec:
  clusterIP: None
  selector: {{- include "careen.selector" . | nindent 4 }}
  ports:
    - { name: http, port: 8080, targetPort: http }
{{- if and (gt (int .values.replicas) 1) (not .single) }}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: {{ .name }}
  namespace: {{ .root.Release.Namespace }}
  labels: {{- include "careen.labels" . | nindent 4 }}
spec:
  maxUnavailable: 1
  # A replica that never became ready must not hold up the drain of its node.
  unhealthyPodEvictionPolicy: AlwaysAllow
  selector:
    matchLabels: {{- include "careen.selector" . | nindent 6 }}
{{- end }}
---
{{- /* Leader election. A Lease that does not exist yet has no name to restrict `create` to. */}}
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata:
  name: {{ .name }}
  namespace: {{ .root.Release.Namespace }}
  labels: {{- include "careen.labels" . | nindent 4 }}
rules:
  - apiGroups: [coordination.k8s.io]
    resources: [leases]
    verbs: [create]
  - apiGroups: [coordination.k8s.io]
    resources: [leases]
    resourceNames: [{{ .name }}]
    verbs: [get, update, patch]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata:
  name: {{ .name }}
  namespace: {{ .root.Release.Namespace }}
  labels: {{- include "careen.labels" . | nindent 4 }}
roleRef: { apiGroup: rbac.authorization.k8s.io, kind: Role, name: {{ .name }} }
subjects:
  - { kind: ServiceAccount, name: {{ .name }}, namespace: {{ .root.Release.Namespace }} }
---
{{ include "careen.clusterRoleBinding" (dict "root" .root "name" .name "namespace" .root.Release.Namespace) }}
{{- end }}

{{/* Binds the ClusterRole of a part to its ServiceAccount. Takes root, name and namespace. */}}
{{- define "careen.clusterRoleBinding" -}}
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata:
  name: {{ .name }}
  labels: {{- include "careen.labels" . | nindent 4 }}
roleRef: { apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: {{ .name }} }
subjects:
  - { kind: ServiceAccount, name: {{ .name }}, namespace: {{ .namespace }} }
{{- end }}

{{/* Binds the Role `name` of namespace `in` to the ServiceAccount `account` of namespace `of`. Takes root as well. */}}
{{- define "careen.roleBinding" -}}
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata:
  name: {{ .name }}
  namespace: {{ .in }}
  labels: {{- include "careen.labels" (dict "root" .root "name" .account) | nindent 4 }}
roleRef: { apiGroup: rbac.authorization.k8s.io, kind: Role, name: {{ .name }} }
subjects:
  - { kind: ServiceAccount, name: {{ .account }}, namespace: {{ .of }} }
{{- end }}
