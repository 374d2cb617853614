#!/bin/bash
# Parts of the offline node image; node-image.mjs calls one function at a time and keeps what is done.
#
#   node-image.sh debian_tree | component_images | node_image
#
# kind's own node image cannot be had where no registry answers. This one is made of Debian packages and of the
# program in kube/, following the Dockerfile in kind's images/base. From the environment: CACHE, VERSION (of
# Kubernetes), KIND_IMAGE (name of the result), and podman's settings.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
repository=localhost/kube       # podman looks nowhere else for "localhost/..."
debian=$CACHE/debian            # Debian's tree as installed; copied, never changed
tree=$CACHE/node-tree           # the same with our files: becomes the image
archive=$CACHE/components.tar   # the images that run inside the node

# Removes a tree that a former run, cut short, may have left with mounts in it (/proc, overlays).
remove_tree() {
  local mounted
  grep -F " $1/" /proc/self/mountinfo | cut -d' ' -f5 | sort -r | while read -r mounted; do umount -l "$mounted"; done || true
  rm -rf --one-file-system "$1"
}

# --- 1. Debian --------------------------------------------------------------------------------------------------

debian_tree() {
  local packages=systemd,systemd-sysv,dbus,iptables,nftables,conntrack,iproute2,ethtool,socat,procps,kmod,mount
  packages+=,hostname,curl,ca-certificates,jq,containerd,runc,containernetworking-plugins
  remove_tree "$debian"
  debootstrap --variant=minbase --include=$packages bookworm "$debian" ${DEBIAN_MIRROR:-}
  rm -rf "$debian"/var/cache/apt/archives/*.deb "$debian"/var/lib/apt/lists/*
}

# --- 2. images of the components --------------------------------------------------------------------------------

# kubeadm says which images it will start; asking it keeps the names and tags right.
component_names() {
  "$CACHE/bin/kubeadm" config images list --kubernetes-version "$VERSION" --image-repository $repository 2>/dev/null
}

# One image holds the program under all names. The others are tags of it, or it with another entry point.
component_images() {
  local root=$CACHE/component-tree libraries=usr/lib/$(uname -m)-linux-gnu name
  rm -rf "$root" "$archive"
  mkdir -p "$root"/{usr/local/bin,usr/sbin,usr/bin,usr/lib64,$libraries,tmp,etc,run}
  chmod 1777 "$root/tmp"
  for name in sbin bin lib lib64; do ln -s usr/$name "$root/$name"; done
  cp "$CACHE/bin/kube" "$root/usr/local/bin/"
  cp "$CACHE/bin/pause" "$root/pause"
  for name in etcd coredns folder-provisioner kube-{apiserver,controller-manager,scheduler,proxy}; do
    ln -s kube "$root/usr/local/bin/$name"
  done
  copy_iptables "$root" $libraries
  tar -C "$root" -c . | podman import -q --change 'ENV PATH=/usr/local/bin:/usr/sbin:/usr/bin' - "$repository/kube:$VERSION"
  component_names | while read -r name; do
    case $name in
      */coredns:*) derive "$name" 'ENTRYPOINT ["coredns"]' ;;
      */pause:*) derive "$name" 'USER 65535:65535' 'ENTRYPOINT ["/pause"]' ;;
      *) podman tag "$repository/kube:$VERSION" "$name" ;;
    esac
  done
  podman save -q -m -o "$archive" "$repository/kube:$VERSION" $(component_names)
  rm -rf "$root"
}

derive() {
  local name=$1
  shift
  printf '%s\n' "FROM $repository/kube:$VERSION" "$@" | podman build -q --pull=never -t "$name" -f -
}

# kube-proxy runs iptables. Its plug-ins need libraries of their own: without libm the first Service with two
# endpoints ("statistic" rules) stops kube-proxy's updates, and until then everything seems well.
copy_iptables() {
  local root=$1 libraries=$2 name
  cp "$debian"/usr/sbin/{xtables-nft-multi,conntrack,nft} "$root/usr/sbin/"
  for name in {ip,ip6}tables{,-save,-restore}; do ln -s xtables-nft-multi "$root/usr/sbin/$name"; done
  cp -a "$debian/$libraries/xtables" "$root/$libraries/"
  (cd "$debian" && ls usr/sbin/{xtables-nft-multi,conntrack,nft} "$libraries"/xtables/*.so) |
    while read -r name; do chroot "$debian" ldd "/$name" || true; done |
    grep -o '/[^ ]*\.so[^ ]*' | sort -u |
    while read -r name; do cp -L "$debian$name" "$root/usr${name#/usr}"; done
}

# --- 3. the node ------------------------------------------------------------------------------------------------

node_image() {
  remove_tree "$tree"
  cp -a "$debian" "$tree"
  copy_kind_files
  configure_containerd
  trim_units
  preload_components
  # What is mounted over in every container stays out.
  tar -C "$tree" --exclude='./dev/*' --exclude='./proc/*' --exclude='./sys/*' -c . |
    podman import -q --change 'ENTRYPOINT ["/usr/local/bin/entrypoint","/sbin/init"]' \
      --change 'ENV container=docker' --change 'STOPSIGNAL SIGRTMIN+3' - "$KIND_IMAGE"
  rm -rf "$tree" "$archive"
  podman image prune -f
}

copy_kind_files() {
  local from=$CACHE/kind-files name
  install -d "$tree"/{kind/bin,kind/manifests,etc/containerd,etc/sysctl.d,etc/kubernetes/manifests,etc/cni/net.d,opt/cni}
  install -d "$tree/etc/systemd/system/kubelet.service.d"
  install -m755 "$from/usr/local/bin/entrypoint" "$tree/usr/local/bin/"
  install -m755 "$from"/kind/bin/* "$tree/kind/bin/"
  install -m644 "$from/etc/crictl.yaml" "$tree/etc/"
  install -m644 "$from/etc/default/kubelet" "$tree/etc/default/"
  install -m644 "$from"/etc/sysctl.d/* "$tree/etc/sysctl.d/"
  install -m644 "$from"/etc/systemd/system/{containerd,kubelet,undo-mount-hacks}.service "$tree/etc/systemd/system/"
  install -m644 "$from/etc/systemd/system/kubelet.slice" "$tree/etc/systemd/system/"
  install -m644 "$from"/etc/systemd/system/kubelet.service.d/* "$tree/etc/systemd/system/kubelet.service.d/"
  # When neither iptables back end has rules yet, kind's entrypoint takes the legacy one. Our images hold nft only.
  sed -i 's/"${num_legacy_lines}" -ge/"${num_legacy_lines}" -gt/' "$tree/usr/local/bin/entrypoint"
  ln -sfn /usr/lib/cni "$tree/opt/cni/bin"   # where Debian keeps the network plug-ins
  install -m755 "$CACHE/bin/kube" "$tree/usr/bin/kube"
  for name in kubelet kubeadm kubectl; do ln -s kube "$tree/usr/bin/$name"; done
  echo -n "$VERSION" >"$tree/kind/version"
  sed "s#@IMAGE@#$repository/kube:$VERSION#" "$here/storage-class.yaml" >"$tree/kind/manifests/default-storage.yaml"
}

configure_containerd() {
  # Debian keeps containerd elsewhere. Without CAP_SYS_RESOURCE, which containers on some hosts lack, a unit that
  # raises a limit or lowers its OOM score does not start.
  sed -i -e 's#/usr/local/bin/containerd#/usr/bin/containerd#' -e '/^OOMScoreAdjust/d' -e '/^Limit/d' \
    "$tree/etc/systemd/system/containerd.service"
  # restrict_oom_score_adj: for the same reason no pod may have a lower score than containerd itself.
  # SystemdCgroup = false: cgroupfs, as kind.mjs tells the kubelet.
  cat >"$tree/etc/containerd/config.toml" <<T
version = 2
oom_score = 0
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "$(component_names | grep /pause:)"
  tolerate_missing_hugepages_controller = true
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "/etc/cni/net.d"
  [plugins."io.containerd.grpc.v1.cri".containerd]
    discard_unpacked_layers = true
    snapshotter = "overlayfs"
    default_runtime_name = "runc"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      base_runtime_spec = "/etc/containerd/cri-base.json"
      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
        SystemdCgroup = false
T
  # The base of every pod's container: with kind's mount hook, and again without raised limits.
  chroot "$tree" ctr oci spec |
    chroot "$tree" jq '.hooks.createContainer += [{"path": "/kind/bin/mount-product-files.sh"}] | del(.process.rlimits)' \
      >"$tree/etc/containerd/cri-base.json"
}

# Units that make no sense in a container: consoles, udev, temporary files over kind's mounts.
trim_units() {
  local units=$tree/lib/systemd/system
  rm -f "$units"/{multi-user,local-fs,basic}.target.wants/* "$units"/sockets.target.wants/*{udev,initctl}*
  rm -f "$units/sysinit.target.wants/systemd-tmpfiles-setup.service" "$tree"/etc/systemd/system/*.wants/*
  echo ReadKMsg=no >>"$tree/etc/systemd/journald.conf"
  chroot "$tree" systemctl -q enable kubelet containerd undo-mount-hacks
  chroot "$tree" systemctl -q mask systemd-binfmt
}

# kind's build unpacks images into the node while it runs; here a short-lived containerd does it from the host.
preload_components() {
  local work=$CACHE/preload pid
  rm -rf "$work"
  mkdir -p "$work" "$tree/var/lib/containerd"
  cat >"$work/config.toml" <<T
version = 2
root = "$tree/var/lib/containerd"
state = "$work/state"
oom_score = 0
disabled_plugins = ["io.containerd.grpc.v1.cri"]
[grpc]
  address = "$work/socket"
T
  containerd --config "$work/config.toml" &
  pid=$!
  trap 'kill $pid' EXIT # also when this script is cut short
  for _ in $(seq 100); do
    ctr -a "$work/socket" version >/dev/null 2>&1 && break
    sleep .1
  done
  ctr -a "$work/socket" -n k8s.io images import --snapshotter overlayfs "$archive"
  kill $pid
  trap - EXIT
  wait $pid || true
  rm -rf "$work"
}

"$1"
