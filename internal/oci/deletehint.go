package oci

import (
	"net/http"
	"regexp"
	"strings"

	"oras.land/oras-go/v2/registry/remote/errcode"
)

// deletions are, by the registry's host, the right to delete, and what to do where it does not. The last is for any other.
// {registry}, {repository} and {region} are the registry's; DIGEST is left to whoever reads it. The sources are in docs/facts.md 36.
var deletions = []struct {
	host       *regexp.Regexp
	right, way string
}{
	{ecr, "the permission ecr:BatchDeleteImage",
		"aws ecr batch-delete-image --region {region} --repository-name {repository} --image-ids imageDigest=DIGEST, or a lifecycle policy"},
	{regexp.MustCompile(`(^|[.-])(docker\.pkg\.dev|gcr\.io)$`), "the role roles/artifactregistry.repoAdmin",
		"gcloud artifacts docker images delete {registry}/{repository}@DIGEST --delete-tags, or a cleanup policy"},
	{regexp.MustCompile(`\.azurecr\.(io|cn|us)$`), "the role AcrDelete, beside AcrPush",
		"a lock is lifted with: az acr repository update --image {repository}@DIGEST --delete-enabled true --write-enabled true"},
	{regexp.MustCompile(`^docker\.io$`), "an access token with Read, Write, Delete",
		"the repository's page, Image Management"},
	{regexp.MustCompile(`^ghcr\.io$`), "packages: write, and the role Admin on the package",
		"GitHub's Packages API, or the package's page"},
	{regexp.MustCompile(`^quay\.io$`), "write permission on the repository", "the repository's page, Tags"},
	{regexp.MustCompile(``), "the right to delete (Harbor: Delete Artifact of a robot account, or the role Maintainer; GitLab: the role Maintainer;" +
		" zot: the action delete; Nexus: the privilege delete of the repository; Artifactory: Delete/Overwrite)",
		"the registry's own setting (Distribution: storage.delete.enabled: true, or REGISTRY_STORAGE_DELETE_ENABLED=true), its own page," +
			" or what stands in between and lets no DELETE pass"},
}

// refusals are the words of registries that keep a manifest for what else names it (docs/facts.md 36).
var refusals = []struct{ words, hint string }{
	{"google manifest dangling tag", "this registry deletes nothing that has tags, and this program never deletes a tag: {way}"},
	{"immutab", keepsTagged},
	{"tagged manifest", keepsTagged},
	{"referenced", "another manifest that the registry keeps names it, such as an index: that one has to go first"},
	{"disallowed operation", "the registry, the repository or the manifest is locked: {way}"},
}

const keepsTagged = "a rule for tags that do not move keeps what they name: have it let go of this one (in Harbor: the project's tag immutability" +
	" rules), or leave it to the registry's own retention: {way}"

// deleteHint is what to do where a registry does not delete; empty where that is the same as for any request.
func (r *Registry) deleteHint(e *Error) string {
	said := strings.ToLower(e.text)
	for _, c := range refusals {
		if strings.Contains(said, c.words) {
			return r.filled(c.hint)
		}
	}
	const not = "this registry does not delete over its API, or is set up not to: {way}"
	switch e.Status {
	case http.StatusUnauthorized, http.StatusForbidden:
		if e.Status == http.StatusUnauthorized && r.login.as() == "" {
			return ""
		}
		return r.asked() + "; " + r.filled("whoever asks must have {right}")
	case http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusNotAcceptable, http.StatusNotImplemented:
		return r.filled(not)
	case http.StatusConflict:
		return r.filled("the registry keeps it, and its own words say why; zot does so where several tags name it and its policy has detectManifestCollision")
	}
	if e.Code == errcode.ErrorCodeUnsupported { // with 400, which the specification has beside 405
		return r.filled(not)
	}
	return ""
}

// filled puts what is the registry's own into a hint.
func (r *Registry) filled(hint string) string {
	for _, d := range deletions {
		if !d.host.MatchString(r.ref.Host) {
			continue
		}
		hint = strings.NewReplacer("{way}", d.way, "{right}", d.right).Replace(hint)
		break
	}
	region := ""
	if m := ecr.FindStringSubmatch(r.ref.Host); m != nil {
		region = m[1]
	}
	return strings.NewReplacer("{registry}", r.ref.Host, "{repository}", r.ref.Repository, "{region}", region).Replace(hint)
}
