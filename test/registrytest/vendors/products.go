package vendors

import (
	"net/http"
	"slices"
)

// Table is all vendors.
var Table = slices.Concat(clouds, products)

// Source code, at a commit.
const (
	quay   = "https://github.com/quay/quay/blob/ffba0c70e2d8d522290a4fbbaa704dbf2fc37f34/endpoints/v2/"
	harbor = "https://github.com/goharbor/harbor/blob/c50c7ddd6ea4e335a480b49c618281882ab7eec9/src/"
	gitea  = "https://github.com/go-gitea/gitea/blob/00dbfe2bd95e5d6d7c6e2a5147e16ad037187dda/routers/api/packages/container/"
)

// The products, also where they are run as a service.
var products = []Vendor{
	{
		Name:      "Quay",
		List:      List{Source: quay + "tag.py", Empty: true},
		Page:      Page{Source: quay + "__init__.py", Unasked: 100, Cap: 100},
		Link:      Link{Source: quay + "__init__.py", Form: AbsoluteLink},
		Login:     quayLogin,
		Manifests: Manifests{Source: quay + "manifest.py"},
		NewList:   quayDenied,
		NewUpload: Answer{Source: NotTold},
		NoManifest: Answer{
			Source: quay + "errors.py",
			Status: http.StatusNotFound, Code: "MANIFEST_UNKNOWN", Message: "manifest unknown", Detail: `{}`,
		},
		Denied:    quayDenied,
		Throttled: Answer{Source: NotTold},
		Immutable: Refusal{Answer: Answer{
			Source: quay + "errors.py",
			Status: http.StatusConflict, Code: "TAG_IMMUTABLE", Message: "tag is immutable and cannot be overwritten",
			Detail: `{"message":"tag '{tag}' is immutable"}`,
		}},
		Delete: Deletion{Answer: Answer{Source: quay + "manifest.py", Status: http.StatusAccepted}},
	},
	{
		Name:       "Quay until 2020",
		List:       List{Source: NotTold},
		Page:       Page{Source: "https://github.com/TritonDataCenter/node-docker-registry-client/issues/12", Unasked: 50, Cap: 50},
		Link:       Link{Source: "https://github.com/TritonDataCenter/node-docker-registry-client/issues/12", Form: AbsoluteLink},
		Login:      quayLogin,
		Manifests:  Manifests{Source: "https://github.com/quay/quay/pull/277", Put: http.StatusAccepted},
		NewList:    Answer{Source: NotTold},
		NewUpload:  Answer{Source: NotTold},
		NoManifest: Answer{Source: NotTold},
		Denied:     quayDenied,
		Throttled:  Answer{Source: NotTold},
		Immutable:  Refusal{Answer: Answer{Source: NotTold}},
		Delete:     Deletion{Answer: Answer{Source: NotTold}},
	},
	{
		Name: "Harbor",
		List: List{Source: harbor + "server/registry/util/util.go"},
		Page: Page{Source: harbor + "server/registry/util/util.go"},
		Link: Link{Source: harbor + "server/registry/util/util.go"},
		Login: Login{
			Source:     harbor + "server/middleware/v2auth/auth.go",
			Challenges: []string{`Bearer realm="{origin}/service/token",service="harbor-registry",scope="repository:{repo}:{action}"`},
			Token:      "/service/token",
			Again:      `Basic realm="harbor"`,
		},
		Manifests: Manifests{Source: harbor + "server/registry/manifest.go"},
		NewList: Answer{
			Source: harbor + "pkg/repository/manager.go",
			Status: http.StatusNotFound, Code: "NOT_FOUND", Message: "repository {repo} not found",
		},
		NewUpload: Answer{Source: NotTold},
		NoManifest: Answer{
			Source: harbor + "controller/artifact/controller.go",
			Status: http.StatusNotFound, Code: "NOT_FOUND", Message: "artifact {repo}:{tag} not found",
		},
		Denied: Answer{
			Source: harbor + "server/middleware/v2auth/auth.go",
			Status: http.StatusUnauthorized, Code: "UNAUTHORIZED", Message: "unauthorized to access repository: {repo}, action: {action}",
		},
		Throttled: Answer{ // the message is not told
			Source: harbor + "lib/errors/const.go",
			Status: http.StatusTooManyRequests, Code: "TOO_MANY_REQUEST", Message: "too many requests",
		},
		Immutable: Refusal{
			Answer: Answer{
				Source: harbor + "server/middleware/immutable/error.go",
				Status: http.StatusPreconditionFailed, Code: "PRECONDITION",
				Message: "Failed to process request due to '{name}:{tag}' configured as immutable.",
			},
			Same: true,
		},
		Delete: Deletion{
			Answer: Answer{
				Source: harbor + "server/registry/manifest.go " + harbor + "server/middleware/v2auth/auth.go " + harbor + "server/middleware/immutable/deletemf.go",
				Status: http.StatusAccepted,
			},
			Action:    "delete",
			Immutable: true,
		},
	},
	{
		Name: "Nexus",
		List: List{Source: NotTold},
		Page: Page{Source: NotTold},
		Link: Link{Source: "https://github.com/sonatype/nexus-public/issues/117 https://github.com/sonatype/nexus-public/issues/209", Form: NoLink},
		Login: Login{
			Source:     "https://github.com/sonatype/nexus-public/issues/921",
			Challenges: []string{`BASIC realm="Sonatype Nexus Repository Manager"`},
		},
		Manifests:  Manifests{Source: NotTold},
		NewList:    Answer{Source: NotTold},
		NewUpload:  Answer{Source: NotTold},
		NoManifest: Answer{Source: NotTold},
		Denied:     Answer{Source: NotTold},
		Throttled:  Answer{Source: NotTold},
		// Nexus 3.29 said so also to a second tag of a manifest, which this does not: no promotion is possible then.
		Immutable: Refusal{Answer: Answer{
			Source: "https://github.com/GoogleContainerTools/jib/issues/3057",
			Status: http.StatusBadRequest, Code: "BLOB_UPLOAD_INVALID", Message: "blob upload invalid",
			Detail: `"Repository does not allow updating assets: docker-hosted"`,
		}},
		Delete: Deletion{Answer: Answer{Source: "https://github.com/sonatype/nexus-public/issues/925", Status: http.StatusAccepted}, KeepsTags: true},
	},
	{
		Name: "Artifactory",
		List: List{Source: NotTold},
		Page: Page{Source: NotTold},
		Link: Link{Source: "https://github.com/renovatebot/renovate/issues/15080"},
		Login: Login{
			Source:     "https://github.com/containerd/containerd/issues/6339",
			Challenges: []string{`Bearer realm="{origin}/artifactory/api/docker/docker-local/v2/token",service="{host}"`},
			Token:      "/artifactory/api/docker/docker-local/v2/token",
		},
		Manifests: Manifests{Source: "https://github.com/containerd/containerd/issues/3110", NoLengthHead: true},
		NewList:   Answer{Source: NotTold},
		NewUpload: Answer{Source: NotTold},
		NoManifest: Answer{
			Source: "https://github.com/jetstack/version-checker/issues/318",
			Status: http.StatusNotFound, Code: "MANIFEST_UNKNOWN", Message: "The named manifest is not known to the registry.",
			Detail: `{"manifest":"{repo}"}`,
		},
		Denied:    Answer{Source: NotTold},
		Throttled: Answer{Source: NotTold},
		Immutable: Refusal{Answer: Answer{ // for a login that may not overwrite; the status is told only in the detail
			Source: "https://github.com/GoogleContainerTools/kaniko/issues/1095",
			Status: http.StatusForbidden, Code: "MANIFEST_INVALID", Message: "manifest invalid", Detail: `{"description":"HTTP 403 Forbidden"}`,
		}},
		Delete: Deletion{Answer: Answer{
			Source: "https://github.com/containers/image/issues/1009",
			Status: http.StatusNotAcceptable, Text: `{"errors":[{"status":406,"message":"Not Acceptable"}]}`,
		}},
	},
	{
		Name: "Gitea",
		List: List{Source: gitea + "container.go"},
		Page: Page{Source: gitea + "container.go"},
		Link: Link{Source: gitea + "container.go", Form: NoLink},
		Login: Login{
			Source:     gitea + "container.go",
			Challenges: []string{`Bearer realm="{origin}/v2/token"`, `Basic`},
			Token:      "/v2/token",
		},
		Manifests: Manifests{Source: gitea + "container.go"},
		NewList: Answer{
			Source: gitea + "errors.go",
			Status: http.StatusNotFound, Code: "NAME_UNKNOWN", Message: "repository name not known to registry",
		},
		NewUpload: Answer{Source: NotTold},
		NoManifest: Answer{
			Source: gitea + "errors.go",
			Status: http.StatusNotFound, Code: "MANIFEST_UNKNOWN", Message: "manifest unknown",
		},
		Denied:    Answer{Source: NotTold},
		Throttled: Answer{Source: NotTold},
		Immutable: Refusal{Answer: Answer{Source: NotTold}},
		Delete:    Deletion{Answer: Answer{Source: gitea + "container.go", Status: http.StatusAccepted}},
	},
	{
		Name: "GitLab",
		List: List{Source: NotTold},
		Page: Page{Source: NotTold},
		Link: Link{Source: NotTold},
		Login: Login{
			Source:     "https://docs.gitlab.com/administration/packages/container_registry_troubleshooting/",
			Challenges: []string{`Bearer realm="{origin}/jwt/auth",service="container_registry",scope="repository:{repo}:{action}"`},
			Token:      "/jwt/auth",
			Refuses:    true,
		},
		Manifests:  Manifests{Source: NotTold},
		NewList:    Answer{Source: NotTold},
		NewUpload:  Answer{Source: NotTold},
		NoManifest: Answer{Source: NotTold},
		Denied: Answer{ // the words are not told
			Source: "https://github.com/mayflower/docker-ls/issues/36",
			Status: http.StatusForbidden, Code: "DENIED", Message: "requested access to the resource is denied",
		},
		Throttled: Answer{Source: NotTold},
		Immutable: Refusal{Answer: Answer{Source: NotTold}}, // there are rules for tags; what a push is answered is not told
		Delete:    Deletion{Answer: Answer{Source: NotTold}},
	},
}

var quayLogin = Login{
	Source:     quay + "v2auth.py",
	Challenges: []string{`Bearer realm="{origin}/v2/auth",service="{host}",scope="repository:{repo}:{action}"`},
	Token:      "/v2/auth",
	Creates:    true,
	Actions:    []string{"pull", "push", "*"},
}

// quayDenied is what Quay says of a repository that is missing or not the login's to see.
var quayDenied = Answer{
	Source: quay + "errors.py",
	Status: http.StatusUnauthorized, Code: "UNAUTHORIZED", Message: "access to the requested resource is not authorized", Detail: `{}`,
}
