package cluster

import (
	"bytes"
	"fmt"
	"maps"
	"strconv"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"
)

// Spec is what the objects of a run are made of.
type Spec struct {
	// Run is the run's identity, Profile what it is a run of.
	Run, Profile string
	Namespace    string
	Image        string
	Shards       int
	Values       Values
	// Parcel is the plan, as Pack made it.
	Parcel []byte
	// Secret is the environment of the shards: settings, and arguments with secrets.
	Secret map[string]string
	// Deadline bounds all of it, from the pods' start to the last byte collected; TTL is
	// how long what is over stays where nobody removes it.
	Deadline, TTL time.Duration
	// Planned is how long the run takes from its start.
	Planned time.Duration
	// AbortOnFail says that a rule may end the run, but not before AbortAfter: for who
	// goes on with it.
	AbortOnFail bool
	AbortAfter  time.Duration
	// Args are what the pods execute; empty for being a shard.
	Args []string
}

// The labels and annotations by which runs are found.
const (
	labelManagedBy = "app.kubernetes.io/managed-by"
	labelRun       = annotationPrefix + "run"
	noteProfile    = annotationPrefix + "profile"
	notePlan       = annotationPrefix + "plan"
	// managedBy is the value of labelManagedBy.
	managedBy = "perfctl"
	// labelIndex holds a pod's number in its Job.
	labelIndex = "batch.kubernetes.io/job-completion-index"
)

// container is the name of the shard's container.
const container = "shard"

// user is the one of the image, who is nobody.
const user int64 = 65532

// Where a shard finds what it is given, and the environment that says so.
const (
	parcelFolder = "/perfctl/plan"
	parcelKey    = "plan.tar.gz"
	podinfoFile  = "/perfctl/podinfo/annotations"
	runsFolder   = "/runs"

	EnvParcel   = "PERFCTL_SHARD_PLAN"
	EnvInbox    = "PERFCTL_SHARD_INBOX"
	EnvFolder   = "PERFCTL_SHARD_FOLDER"
	EnvSecret   = "PERFCTL_SHARD_SECRET"
	EnvIndex    = "JOB_COMPLETION_INDEX"
	EnvFarewell = "PERFCTL_SHARD_FAREWELL"
)

// ObjectName is the name of a run's Job, ConfigMap and Secret.
func ObjectName(run string) string { return "perfctl-" + run }

func (s *Spec) labels() map[string]string {
	return map[string]string{labelManagedBy: managedBy, labelRun: s.Run}
}

func (s *Spec) meta() metav1.ObjectMeta {
	return metav1.ObjectMeta{Name: ObjectName(s.Run), Namespace: s.Namespace, Labels: s.labels()}
}

// Job returns the Job: one pod a shard, none of which is ever started twice.
func (s *Spec) Job() *batchv1.Job {
	meta := s.meta()
	meta.Annotations = map[string]string{noteProfile: s.Profile, notePlan: ParcelHash(s.Parcel), notePlanned: strconv.FormatFloat(s.Planned.Seconds(), 'f', -1, 64)}
	if s.AbortOnFail {
		meta.Annotations[noteAbortAfter] = s.AbortAfter.String()
	}
	n := int32(s.Shards)
	return &batchv1.Job{
		TypeMeta:   metav1.TypeMeta{APIVersion: "batch/v1", Kind: "Job"},
		ObjectMeta: meta,
		Spec: batchv1.JobSpec{
			CompletionMode: new(batchv1.IndexedCompletion), Completions: &n, Parallelism: &n,
			BackoffLimitPerIndex: new(int32(0)), MaxFailedIndexes: &n, PodReplacementPolicy: new(batchv1.Failed),
			ActiveDeadlineSeconds:   new(int64(s.Deadline.Seconds())),
			TTLSecondsAfterFinished: new(int32(s.TTL.Seconds())),
			Template:                s.template(),
		},
	}
}

func (s *Spec) template() corev1.PodTemplateSpec {
	v := &s.Values
	labels, notes := maps.Clone(v.Labels), maps.Clone(v.Annotations)
	if labels == nil {
		labels = map[string]string{}
	}
	maps.Copy(labels, s.labels())
	if notes == nil {
		notes = map[string]string{}
	}
	// A run that is moved is a run that is lost.
	for k, value := range map[string]string{"cluster-autoscaler.kubernetes.io/safe-to-evict": "false", "karpenter.sh/do-not-disrupt": "true"} {
		if _, given := notes[k]; !given {
			notes[k] = value
		}
	}
	return corev1.PodTemplateSpec{
		ObjectMeta: metav1.ObjectMeta{Labels: labels, Annotations: notes},
		Spec: corev1.PodSpec{
			RestartPolicy: corev1.RestartPolicyNever, AutomountServiceAccountToken: new(false), EnableServiceLinks: new(false),
			ServiceAccountName: v.ServiceAccountName, PriorityClassName: v.PriorityClassName, HostNetwork: v.HostNetwork,
			NodeSelector: v.NodeSelector, Tolerations: v.Tolerations, Affinity: s.affinity(), ImagePullSecrets: v.ImagePullSecrets,
			TopologySpreadConstraints: []corev1.TopologySpreadConstraint{{
				MaxSkew: 1, TopologyKey: corev1.LabelHostname, WhenUnsatisfiable: corev1.ScheduleAnyway,
				LabelSelector: &metav1.LabelSelector{MatchLabels: s.labels()},
			}},
			SecurityContext: &corev1.PodSecurityContext{
				RunAsNonRoot: new(true), RunAsUser: new(user), RunAsGroup: new(user), FSGroup: new(user),
				SeccompProfile: &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault},
			},
			TerminationGracePeriodSeconds: new(int64(30)),
			InitContainers:                v.InitContainers,
			Containers:                    []corev1.Container{s.container()},
			Volumes: append([]corev1.Volume{
				{Name: "perfctl-plan", VolumeSource: corev1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{LocalObjectReference: corev1.LocalObjectReference{Name: ObjectName(s.Run)}}}},
				{Name: "perfctl-podinfo", VolumeSource: corev1.VolumeSource{DownwardAPI: &corev1.DownwardAPIVolumeSource{Items: []corev1.DownwardAPIVolumeFile{
					{Path: "annotations", FieldRef: &corev1.ObjectFieldSelector{FieldPath: "metadata.annotations"}},
				}}}},
				{Name: "perfctl-runs", VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}},
			}, v.Volumes...),
		},
	}
}

func (s *Spec) container() corev1.Container {
	v := &s.Values
	policy := v.ImagePullPolicy
	if policy == "" {
		policy = corev1.PullIfNotPresent
	}
	args := s.Args
	if len(args) == 0 {
		args = []string{"kubernetes", "shard"}
	}
	return corev1.Container{
		Name: container, Image: s.Image, ImagePullPolicy: policy, Args: args,
		Env: []corev1.EnvVar{
			{Name: EnvParcel, Value: parcelFolder + "/" + parcelKey}, {Name: EnvInbox, Value: podinfoFile}, {Name: EnvFolder, Value: runsFolder},
			{Name: EnvFarewell, Value: corev1.TerminationMessagePathDefault}, {Name: "TMPDIR", Value: runsFolder}, {Name: "HOME", Value: runsFolder},
		},
		EnvFrom:   []corev1.EnvFromSource{{SecretRef: &corev1.SecretEnvSource{LocalObjectReference: corev1.LocalObjectReference{Name: ObjectName(s.Run)}}}},
		Resources: v.resources(),
		SecurityContext: &corev1.SecurityContext{
			AllowPrivilegeEscalation: new(false), ReadOnlyRootFilesystem: new(true), Privileged: new(false),
			Capabilities: &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}},
		},
		VolumeMounts: append([]corev1.VolumeMount{
			{Name: "perfctl-plan", MountPath: parcelFolder, ReadOnly: true},
			{Name: "perfctl-podinfo", MountPath: "/perfctl/podinfo", ReadOnly: true},
			{Name: "perfctl-runs", MountPath: runsFolder},
		}, v.VolumeMounts...),
	}
}

// affinity keeps the shards off the nodes of the system under test, where it is named.
func (s *Spec) affinity() *corev1.Affinity {
	if len(s.Values.AwayFrom) == 0 {
		return s.Values.Affinity
	}
	a := s.Values.Affinity.DeepCopy()
	if a == nil {
		a = &corev1.Affinity{}
	}
	if a.PodAntiAffinity == nil {
		a.PodAntiAffinity = &corev1.PodAntiAffinity{}
	}
	p := a.PodAntiAffinity
	p.RequiredDuringSchedulingIgnoredDuringExecution = append(p.RequiredDuringSchedulingIgnoredDuringExecution, corev1.PodAffinityTerm{
		TopologyKey: corev1.LabelHostname, LabelSelector: &metav1.LabelSelector{MatchLabels: s.Values.AwayFrom},
		NamespaceSelector: &metav1.LabelSelector{}, // of any namespace
	})
	return a
}

// ConfigMap returns the plan.
func (s *Spec) ConfigMap() *corev1.ConfigMap {
	return &corev1.ConfigMap{
		TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "ConfigMap"}, ObjectMeta: s.meta(),
		Immutable: new(true), BinaryData: map[string][]byte{parcelKey: s.Parcel},
	}
}

// SecretObject returns what is secret.
func (s *Spec) SecretObject() *corev1.Secret {
	return &corev1.Secret{
		TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Secret"}, ObjectMeta: s.meta(),
		Immutable: new(true), Type: corev1.SecretTypeOpaque, StringData: s.Secret,
	}
}

// Render returns the objects as YAML, the ones that the pods need before the Job. What
// is secret is shown as hide makes it.
func (s *Spec) Render(hide func(name, value string) string) ([]byte, error) {
	secret := s.SecretObject()
	secret.StringData = map[string]string{}
	for k, v := range s.Secret {
		secret.StringData[k] = hide(k, v)
	}
	var out bytes.Buffer
	for _, o := range []any{s.ConfigMap(), secret, s.Job()} {
		text, err := renderObject(o)
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(&out, "---\n%s", text)
	}
	return out.Bytes(), nil
}

// renderObject returns an object as YAML, without what the server adds.
func renderObject(o any) ([]byte, error) {
	text, err := yaml.Marshal(o)
	if err != nil {
		return nil, err
	}
	var m map[string]any
	if err := yaml.Unmarshal(text, &m); err != nil {
		return nil, err
	}
	delete(m, "status")
	dropNulls(m)
	return yaml.Marshal(m)
}

// dropNulls removes what has no value.
func dropNulls(m map[string]any) {
	for k, v := range m {
		switch x := v.(type) {
		case nil:
			delete(m, k)
		case map[string]any:
			dropNulls(x)
		}
	}
}

// indexOf returns a pod's number in its Job.
func indexOf(p *corev1.Pod) (int, bool) {
	n, err := strconv.Atoi(p.Labels[labelIndex])
	return n, err == nil && n >= 0
}

// RoleYAML is the least that a command needs in a namespace.
func RoleYAML(namespace string) string {
	return fmt.Sprintf(roleForm, namespace)
}

const roleForm = `# The least that perfctl run --kubernetes needs, in one namespace. Bind it to whoever
# runs it: kubectl -n %[1]s create rolebinding perfctl --role=perfctl --user=NAME
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata:
  name: perfctl
  namespace: %[1]s
rules:
- apiGroups: [batch]
  resources: [jobs]
  verbs: [create, get, list, patch, delete]
- apiGroups: [""]
  resources: [pods]
  verbs: [list, watch, patch]
- apiGroups: [""]
  resources: [pods/log]
  verbs: [get]
- apiGroups: [""]
  resources: [configmaps, secrets]
  verbs: [create, delete]
# For perfctl doctor --kubernetes to say how many pods find room, list nodes and pods in a
# ClusterRole; it works without.
# To say why pods are not made, as a quota does. perfctl works without it.
- apiGroups: [""]
  resources: [events]
  verbs: [list]
`
