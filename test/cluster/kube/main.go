// Command kube is a whole Kubernetes in one file: the control plane, a kubelet, the tools people and kind use on
// it, name service and volumes. One binary links the common code once: 170 MB instead of 1 GB, built in one go.
//
// It does what the name it was started under says, so every program is a symbolic link to it. Started as "kube",
// the first argument is that name.
package main

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"
	helm "helm.sh/helm/v4/pkg/cmd"
	"k8s.io/component-base/cli"
	kubectl "k8s.io/kubectl/pkg/cmd"
	kind "sigs.k8s.io/kind/cmd/kind/app"
)

// program runs to its end as if os.Args were its own.
type program func() error

// programs holds the tools that people use; cluster.go adds what a cluster is made of. Built with the tag "tools" there
// is nothing else in it: where kind can pull its node image, the rest would be built for nobody.
var programs = map[string]program{
	"helm": func() error {
		root, err := helm.NewRootCmd(os.Stdout, os.Args[1:], helm.SetupLogging)
		if err != nil {
			return err
		}
		return root.Execute()
	},
	"kind": func() error {
		kind.Main()
		return nil
	},
	"kubectl": cobraProgram(func() *cobra.Command { return kubectl.NewDefaultKubectlCommand() }),
}

// cobraProgram is for the components of Kubernetes: its library reads the flags, logs, and knows the exit code.
func cobraProgram(command func() *cobra.Command) program {
	return func() error {
		os.Exit(cli.Run(command()))
		return nil
	}
}

func main() {
	name := filepath.Base(os.Args[0])
	if name == "kube" && len(os.Args) > 1 {
		os.Args = os.Args[1:]
		name = os.Args[0]
	}
	run, known := programs[name]
	if !known {
		fmt.Fprintf(os.Stderr, "usage: kube PROGRAM [ARGUMENT...]; programs: %v\n", slices.Sorted(maps.Keys(programs)))
		os.Exit(2)
	}
	err := run()
	if err == nil {
		return
	}
	if name != "kubeadm" { // it has printed its error already
		fmt.Fprintln(os.Stderr, "Error:", err)
	}
	os.Exit(1)
}
