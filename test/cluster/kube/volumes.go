//go:build !tools

package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"

	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/sig-storage-lib-external-provisioner/v13/controller"
)

// provisionerName is what the StorageClass in storage-class.yaml asks for.
const provisionerName = "archivestream.io/folder"

// provisionFolders answers claims with folders below its one argument. The API server is the one in KUBECONFIG,
// or that of the pod it runs in.
func provisionFolders() error {
	if len(os.Args) != 2 {
		return errors.New("usage: folder-provisioner FOLDER")
	}
	config, err := clientcmd.BuildConfigFromFlags("", os.Getenv("KUBECONFIG"))
	if err != nil {
		return err
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	ctx := context.Background()
	// No leader election: its Deployment never runs two.
	controller.NewProvisionController(ctx, client, provisionerName, folders(os.Args[1]), controller.LeaderElection(false)).Run(ctx)
	return nil
}

// folders is the folder that holds one folder per volume.
type folders string

func (root folders) Provision(_ context.Context, options controller.ProvisionOptions) (*core.PersistentVolume, controller.ProvisioningState, error) {
	path := filepath.Join(string(root), options.PVName)
	if err := os.MkdirAll(path, 0o777); err != nil {
		return nil, controller.ProvisioningFinished, err
	}
	// Open to every user, past the umask: the kubelet applies fsGroup to no hostPath volume, and pods run as non-root.
	if err := os.Chmod(path, 0o777); err != nil {
		return nil, controller.ProvisioningFinished, err
	}
	size := options.PVC.Spec.Resources.Requests[core.ResourceStorage]
	volume := &core.PersistentVolume{ObjectMeta: meta.ObjectMeta{Name: options.PVName}}
	volume.Spec.AccessModes = options.PVC.Spec.AccessModes
	volume.Spec.Capacity = core.ResourceList{core.ResourceStorage: size}
	volume.Spec.PersistentVolumeReclaimPolicy = *options.StorageClass.ReclaimPolicy
	volume.Spec.HostPath = &core.HostPathVolumeSource{Path: path}
	return volume, controller.ProvisioningFinished, nil
}

func (root folders) Delete(_ context.Context, volume *core.PersistentVolume) error {
	return os.RemoveAll(filepath.Join(string(root), volume.Name))
}
