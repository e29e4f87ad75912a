// Command argo says what Argo CD thinks of objects. Standard input is {"config": …, "objects": […]}: the data of an
// argocd-cm ConfigMap, and objects as the API server gives them. Standard output has one health a line.
//
// Command argo manifests reads a list of Applications instead, and fails for a field that they do not have.
//
// The Lua is run by Argo CD's own package, within its limits: no string library, one second.
package main

import (
	"encoding/json"
	"log"
	"os"
	"strings"

	"github.com/argoproj/argo-cd/v3/pkg/apis/application/v1alpha1"
	"github.com/argoproj/argo-cd/v3/util/lua"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

const prefix = "resource.customizations.health."

type input struct {
	Config  map[string]string            `json:"config"`
	Objects []*unstructured.Unstructured `json:"objects"`
}

func main() {
	log.SetFlags(0)
	if len(os.Args) > 1 && os.Args[1] == "manifests" {
		decoder := json.NewDecoder(os.Stdin)
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(&[]v1alpha1.Application{}); err != nil {
			log.Fatal(err)
		}
		return
	}
	var given input
	if err := json.NewDecoder(os.Stdin).Decode(&given); err != nil {
		log.Fatal(err)
	}
	overrides := overridesOf(given.Config)
	output := json.NewEncoder(os.Stdout)
	for _, object := range given.Objects {
		health, err := overrides.GetResourceHealth(object)
		if err != nil {
			log.Fatalf("%s %s: %v", object.GetKind(), object.GetName(), err)
		}
		if err := output.Encode(health); err != nil {
			log.Fatal(err)
		}
	}
}

// overridesOf reads the keys as Argo CD does: group_Kind after the prefix.
func overridesOf(config map[string]string) lua.ResourceHealthOverrides {
	overrides := lua.ResourceHealthOverrides{}
	for key, script := range config {
		if name, found := strings.CutPrefix(key, prefix); found {
			overrides[strings.Replace(name, "_", "/", 1)] = v1alpha1.ResourceOverride{HealthLua: script}
		}
	}
	return overrides
}
