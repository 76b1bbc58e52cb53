package cluster

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"sigs.k8s.io/yaml"
)

// Values are what a user may say of the pods besides the run: where they go, what they
// get. Keys and forms are those of a pod's spec.
type Values struct {
	Labels             map[string]string             `json:"labels,omitempty"`
	Annotations        map[string]string             `json:"annotations,omitempty"`
	NodeSelector       map[string]string             `json:"nodeSelector,omitempty"`
	Tolerations        []corev1.Toleration           `json:"tolerations,omitempty"`
	Affinity           *corev1.Affinity              `json:"affinity,omitempty"`
	Resources          *corev1.ResourceRequirements  `json:"resources,omitempty"`
	ImagePullSecrets   []corev1.LocalObjectReference `json:"imagePullSecrets,omitempty"`
	ImagePullPolicy    corev1.PullPolicy             `json:"imagePullPolicy,omitempty"`
	ServiceAccountName string                        `json:"serviceAccountName,omitempty"`
	PriorityClassName  string                        `json:"priorityClassName,omitempty"`
	HostNetwork        bool                          `json:"hostNetwork,omitempty"`
	// InitContainers run before the shard, or beside it with restartPolicy: Always.
	InitContainers []corev1.Container   `json:"initContainers,omitempty"`
	Volumes        []corev1.Volume      `json:"volumes,omitempty"`
	VolumeMounts   []corev1.VolumeMount `json:"volumeMounts,omitempty"`
	// AwayFrom are labels of pods that no shard shall share a node with: the system
	// under test.
	AwayFrom map[string]string `json:"awayFrom,omitempty"`
}

// ParseValues reads a file of values. Unknown keys are errors.
func ParseValues(file string, text []byte) (*Values, error) {
	v := &Values{}
	if err := yaml.UnmarshalStrict(text, v); err != nil {
		return nil, fmt.Errorf("%s: %w\n  next: the keys are labels, annotations, nodeSelector, tolerations, affinity, awayFrom, resources, imagePullSecrets, imagePullPolicy, serviceAccountName, priorityClassName, hostNetwork, initContainers, volumes, volumeMounts", file, err)
	}
	if err := v.check(); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return v, nil
}

// check refuses what would make a generator the bottleneck.
func (v *Values) check() error {
	r := v.resources()
	limit, limited := r.Limits[corev1.ResourceCPU]
	request, requested := r.Requests[corev1.ResourceCPU]
	switch {
	case limited && requested && limit.Cmp(request) != 0:
		return fmt.Errorf("resources: a CPU limit of %s above a request of %s lets the kernel stop the generator in mid-load, which makes a run INVALID\n  next: make the two equal, or leave the limit out", limit.String(), request.String())
	case limited && limit.MilliValue() < 100:
		return fmt.Errorf("resources: a CPU limit of %s is too little to keep a schedule\n  next: leave the limit out, or give 1 or more", limit.String())
	}
	return nil
}

// resources returns what a shard asks for: where nobody says, a quarter of a processor
// for sure and as much as there is, and half a gigabyte at most.
func (v *Values) resources() corev1.ResourceRequirements {
	if v.Resources != nil {
		return *v.Resources
	}
	return corev1.ResourceRequirements{
		Requests: corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("250m"), corev1.ResourceMemory: resource.MustParse("128Mi")},
		Limits:   corev1.ResourceList{corev1.ResourceMemory: resource.MustParse("512Mi")},
	}
}
