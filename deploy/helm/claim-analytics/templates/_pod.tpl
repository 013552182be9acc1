{{/*
The parts of a pod, from `root`, `component`, and `settings` and `secrets` that take the place of
the chart's.
*/}}

{{/* Which secrets the component has a use for, as YAML: the least that it needs. */}}
{{- define "claim-analytics.secrets" -}}
{{- $secrets := merge (dict) (.secrets | default dict) .root.Values.secrets }}
{{- $others := dict "claims" "^(REPORT|CONSOLE|API)_" "reports" "^(CONSOLE|API)_" "migrate" "^(REPORT|CONSOLE|API)_" "topics" "^(REPORT|CONSOLE|API|DATABASE)_" "http" "^$" }}
{{- $needed := dict }}
{{- range $name, $place := $secrets }}
{{- if and $place (not (regexMatch (get $others $.component) $name)) }}
{{- $_ := set $needed $name $place }}
{{- end }}
{{- end }}
{{- toYaml $needed }}
{{- end }}

{{- define "claim-analytics.env" -}}
{{- $settings := merge (dict) (.settings | default dict) .root.Values.settings (dict "HTTP_ADDRESS" (include "claim-analytics.httpAddress" .root)) }}
{{- $_ := required "settings.KAFKA_BOOTSTRAP_SERVERS is missing: host:port, several with commas between" $settings.KAFKA_BOOTSTRAP_SERVERS }}
{{- range $name, $value := $settings }}
{{- if has $name (list "DATABASE_URL" "DATABASE_DIRECT_URL" "KAFKA_SASL_PASSWORD" "KAFKA_OAUTH_TOKEN" "REPORT_MASTER_KEYS" "REPORT_PASSWORD_KEYS" "CONSOLE_TOKENS") }}
{{- fail (printf "settings.%s is a secret: put it into a Secret, and where it stands there into secrets.%s" $name $name) }}
{{- end }}
- name: CLAIM_ANALYTICS_{{ $name }}
  value: {{ include "claim-analytics.plain" $value | quote }}
{{- end }}
{{- range $name, $place := include "claim-analytics.secrets" . | fromYaml }}
- name: CLAIM_ANALYTICS_{{ $name }}_FILE
  value: /etc/claim-analytics/secrets/{{ $name }}
{{- end }}
{{- with .root.Values.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "claim-analytics.volumeMounts" -}}
- name: tmp
  mountPath: /tmp
- name: secrets
  mountPath: /etc/claim-analytics/secrets
  readOnly: true
{{- if .root.Values.files }}
- name: files
  mountPath: /etc/claim-analytics/files
  readOnly: true
{{- end }}
{{- if and .root.Values.reportFiles.existingClaim (has .component (list "reports" "http")) }}
- name: reports
  mountPath: /var/lib/claim-analytics
{{- end }}
{{- end }}

{{- define "claim-analytics.volumes" -}}
- name: tmp
  emptyDir:
    sizeLimit: 64Mi
{{- $secrets := include "claim-analytics.secrets" . | fromYaml }}
- name: secrets
  projected:
    defaultMode: 0440
    sources: {{- if not $secrets }} []{{ end }}
      {{- range $name, $place := $secrets }}
      - secret:
          name: {{ $place.name }}
          items:
            - key: {{ $place.key }}
              path: {{ $name }}
      {{- end }}
{{- with .root.Values.files }}
- name: files
  projected:
    defaultMode: 0440
    sources:
      {{- range $name, $place := . }}
      - {{ ternary "secret" "configMap" (hasKey $place "secret") }}:
          name: {{ $place.secret | default $place.configMap }}
          items:
            - key: {{ $place.key }}
              path: {{ $name }}
      {{- end }}
{{- end }}
{{- if and .root.Values.reportFiles.existingClaim (has .component (list "reports" "http")) }}
- name: reports
  persistentVolumeClaim:
    claimName: {{ .root.Values.reportFiles.existingClaim }}
{{- end }}
{{- end }}

{{/* Nobody's user, and nothing to write to but /tmp and report files. */}}
{{- define "claim-analytics.podSecurity" -}}
runAsNonRoot: true
runAsUser: 10001
runAsGroup: 10001
fsGroup: 10001
fsGroupChangePolicy: OnRootMismatch
seccompProfile:
  type: RuntimeDefault
{{- end }}

{{- define "claim-analytics.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end }}

{{- define "claim-analytics.placement" -}}
{{- with .imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .pod.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with .pod.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .pod.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .pod.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}
