package flux

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sigs.k8s.io/yaml"

	"github.com/oci-promote/oci-promote/test/flux/bins"
	"github.com/oci-promote/oci-promote/test/programtest"
)

// cluster is a kube-apiserver and the three controllers.
type cluster struct {
	name       string // integration or live
	url        string
	token      string
	client     *http.Client
	kubeconfig string

	notification string    // the program that is its notification-controller
	heard        *listener // what the controllers tell notification-controller
}

// startEtcd gives the URL at which both API servers find it.
func startEtcd(t *testing.T) string {
	t.Helper()
	clients, peers := "http://"+freeAddress(t), "http://"+freeAddress(t)
	startProcess(t, "etcd", "etcd", nil, "--data-dir", t.TempDir(), "--unsafe-no-fsync", "--log-level=warn",
		"--listen-client-urls", clients, "--advertise-client-urls", clients,
		"--listen-peer-urls", peers, "--initial-advertise-peer-urls", peers, "--initial-cluster", "default="+peers)
	answers(t, http.DefaultClient, clients+"/health", "")
	return clients
}

// startCluster runs an API server with the kinds of Flux, and no controller yet.
func startCluster(t *testing.T, etcd, name string) *cluster {
	t.Helper()
	dir := t.TempDir()
	file := func(name, content string) string {
		name = filepath.Join(dir, name)
		programtest.Write(t, name, content)
		return name
	}
	cert, key := keyPair(t)
	certFile, keyFile := file("tls.crt", cert), file("tls.key", key)
	address := freeAddress(t)
	c := &cluster{name: name, url: "https://" + address, token: "token-of-" + name, notification: "notification-controller"}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM([]byte(cert))
	c.client = &http.Client{Timeout: time.Minute, Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}}}
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	startProcess(t, name+" kube-apiserver", "kube-apiserver", nil,
		"--etcd-servers="+etcd, "--etcd-prefix=/"+name, "--bind-address=127.0.0.1", "--advertise-address=127.0.0.1", "--secure-port="+port,
		"--tls-cert-file="+certFile, "--tls-private-key-file="+keyFile,
		"--token-auth-file="+file("tokens.csv", c.token+",admin,admin,system:masters\n"), "--authorization-mode=RBAC",
		"--service-account-issuer=https://flux.test", "--service-account-key-file="+keyFile, "--service-account-signing-key-file="+keyFile,
		"--service-cluster-ip-range=10.0.0.0/24", "--disable-admission-plugins=ServiceAccount", "--endpoint-reconciler-type=none")
	c.kubeconfig = file("kubeconfig", fmt.Sprintf(`apiVersion: v1
kind: Config
current-context: it
clusters: [{name: it, cluster: {server: %q, certificate-authority: %q}}]
users: [{name: it, user: {token: %q}}]
contexts: [{name: it, context: {cluster: it, user: it, namespace: %s}}]
`, c.url, certFile, c.token, namespace))
	answers(t, c.client, c.url+"/readyz", c.token)
	c.apply(t, object{"apiVersion": "v1", "kind": "Namespace", "metadata": object{"name": namespace}})
	c.applyCRDs(t)
	return c
}

// applyCRDs brings the kinds that the controllers serve, and those of the example's health checks, of any form: nothing here
// serves those.
func (c *cluster) applyCRDs(t *testing.T) {
	t.Helper()
	for _, b := range bins.All {
		dir, err := b.Dir("modules")
		if err != nil {
			t.Fatal(err)
		}
		all, err := b.CRDs(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, data := range all {
			c.applyCRD(t, data)
		}
	}
	for _, of := range [][4]string{{"canaries.flanksource.com", "v1", "Canary", "canaries"}, {"monitoring.coreos.com", "v1", "PrometheusRule", "prometheusrules"}} {
		c.applyCRD(t, fmt.Appendf(nil, `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: %[4]s.%[1]s}
spec:
  group: %[1]s
  scope: Namespaced
  names: {kind: %[3]s, plural: %[4]s, singular: %[5]s}
  versions:
    - name: %[2]s
      served: true
      storage: true
      subresources: {status: {}}
      schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}
`, of[0], of[1], of[2], of[3], strings.ToLower(of[2])))
	}
}

func (c *cluster) applyCRD(t *testing.T, data []byte) {
	t.Helper()
	var crd object
	if err := yaml.Unmarshal(data, &crd); err != nil {
		t.Fatal(err)
	}
	c.apply(t, crd)
	name := at(crd, "metadata", "name")
	until(t, soon, name+" to be served", func() (string, bool) {
		o := c.get(t, "CustomResourceDefinition", name)
		return show(o), condition(o, "Established")["status"] == "True"
	})
}

// startControllers runs the three, with flags of kustomize-controller's beside those that all have. What the other two tell
// notification-controller goes through a listener.
func (c *cluster) startControllers(t *testing.T, kustomize ...string) {
	t.Helper()
	env := []string{"KUBECONFIG=" + c.kubeconfig, "RUNTIME_NAMESPACE=" + namespace}
	start := func(name string, args ...string) {
		health := freeAddress(t)
		startProcess(t, c.name+" "+name, name, env, append(args,
			"--health-addr="+health, "--metrics-addr=0", "--enable-leader-election=false", "--log-level=info")...)
		answers(t, http.DefaultClient, "http://"+health+"/readyz", "")
	}
	events := freeAddress(t)
	start(c.notification, "--events-addr="+events, "--receiverAddr="+freeAddress(t))
	c.heard = listenIn(t, events)
	storage := freeAddress(t)
	start("source-controller", "--storage-path="+t.TempDir(), "--storage-addr="+storage, "--storage-adv-addr="+storage, "--events-addr="+c.heard.url)
	start("kustomize-controller", append(kustomize, "--events-addr="+c.heard.url)...)
}

// keyPair is a certificate for 127.0.0.1 that vouches for itself, and its key, both in PEM.
func keyPair(t *testing.T) (cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "flux.test"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalECPrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})),
		string(pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: secret}))
}
