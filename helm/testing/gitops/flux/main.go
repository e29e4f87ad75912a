// Command flux says what Flux and Helm think of objects. Standard input is {"checks": […], "objects": […]}: the
// healthCheckExprs of a Kustomization, and objects as the API server gives them. Standard output has one status a
// line: by the checks where one is for the kind, else by the rules of kstatus, which Helm's --wait goes by as well.
//
// Command flux manifests reads objects of Flux's own kinds instead, and fails for a field that they do not have.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log"
	"os"

	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
	helm "github.com/fluxcd/helm-controller/api/v2"
	kustomization "github.com/fluxcd/kustomize-controller/api/v1"
	"github.com/fluxcd/pkg/apis/kustomize"
	"github.com/fluxcd/pkg/runtime/cel"
	source "github.com/fluxcd/source-controller/api/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

type input struct {
	Checks  []kustomize.CustomHealthCheck `json:"checks"`
	Objects []*unstructured.Unstructured  `json:"objects"`
}

func main() {
	log.SetFlags(0)
	if len(os.Args) > 1 && os.Args[1] == "manifests" {
		if err := readManifests(); err != nil {
			log.Fatal(err)
		}
		return
	}
	var given input
	if err := json.NewDecoder(os.Stdin).Decode(&given); err != nil {
		log.Fatal(err)
	}
	output := json.NewEncoder(os.Stdout)
	for _, object := range given.Objects {
		result, err := compute(object, given.Checks)
		if err != nil {
			log.Fatalf("%s %s: %v", object.GetKind(), object.GetName(), err)
		}
		if err := output.Encode(map[string]string{"status": result.Status.String(), "message": result.Message}); err != nil {
			log.Fatal(err)
		}
	}
}

func readManifests() error {
	var manifests []json.RawMessage
	if err := json.NewDecoder(os.Stdin).Decode(&manifests); err != nil {
		return err
	}
	for _, manifest := range manifests {
		var typed metav1.TypeMeta
		if err := json.Unmarshal(manifest, &typed); err != nil {
			return err
		}
		target := map[string]any{
			"HelmRelease":   &helm.HelmRelease{},
			"Kustomization": &kustomization.Kustomization{},
			"GitRepository": &source.GitRepository{},
		}[typed.Kind]
		if target == nil {
			return fmt.Errorf("%s is no kind of Flux", typed.Kind)
		}
		decoder := json.NewDecoder(bytes.NewReader(manifest))
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(target); err != nil {
			return fmt.Errorf("%s: %w", typed.Kind, err)
		}
	}
	return nil
}

func compute(object *unstructured.Unstructured, checks []kustomize.CustomHealthCheck) (*status.Result, error) {
	for _, check := range checks {
		if check.APIVersion != object.GetAPIVersion() || check.Kind != object.GetKind() {
			continue
		}
		evaluator, err := cel.NewStatusEvaluator(&check.HealthCheckExpressions)
		if err != nil {
			return nil, err
		}
		return evaluator.Evaluate(context.Background(), object)
	}
	return status.Compute(object)
}
