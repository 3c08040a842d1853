package vendors

import "net/http"

// The services.
var clouds = []Vendor{
	{
		Name: "Google Artifact Registry",
		List: List{Source: "https://github.com/google/go-containerregistry/blob/v0.22.1/pkg/v1/google/list_test.go", Images: true},
		Page: Page{Source: NotTold},
		Link: Link{Source: NotTold},
		Login: Login{
			Source:     "https://github.com/docker/setup-buildx-action/issues/79",
			Challenges: []string{`Bearer realm="{origin}/v2/token",service="{host}",scope="repository:{repo}:{action}"`},
			Token:      "/v2/token",
		},
		Manifests: Manifests{Source: NotTold},
		NewList:   Answer{Source: NotTold},
		NewUpload: Answer{
			Source: "https://github.com/google-github-actions/deploy-cloudrun/issues/420",
			Status: http.StatusNotFound, Code: "NAME_UNKNOWN", Message: `Repository "{repo}" not found`,
		},
		NoManifest: Answer{
			Source: "https://github.com/firezone/firezone/issues/10484",
			Status: http.StatusNotFound, Code: "MANIFEST_UNKNOWN", Message: `Failed to fetch "{tag}".`,
		},
		Denied: Answer{
			Source: "https://github.com/GoogleCloudPlatform/cymbal-superstore/pull/4",
			Status: http.StatusForbidden, Code: "DENIED",
			Message: `Permission "artifactregistry.repositories.uploadArtifacts" denied on resource "projects/acme-project/locations/europe-west1/repositories/platform" (or it may not exist)`,
		},
		Throttled: Answer{Source: NotTold},
		Immutable: Refusal{Answer: Answer{ // the code is not told
			Source: "https://cloud.google.com/artifact-registry/docs/docker/troubleshoot",
			Status: http.StatusBadRequest, Code: "DENIED", Message: "The repository has enabled tag immutability",
		}},
		Delete: Deletion{ // the status is not told
			Answer: Answer{
				Source: "https://github.com/fluxcd/pkg/pull/328",
				Status: http.StatusBadRequest, Code: "GOOGLE_MANIFEST_DANGLING_TAG", Message: "Manifest is still referenced by one or more tags",
			},
			Tagged: true,
		},
	},
	{
		Name: "Amazon ECR",
		List: List{Source: "https://github.com/aws/containers-roadmap/issues/2091", Unsorted: true}, // seen of the public gallery
		Page: Page{
			Source:  "https://github.com/google/go-containerregistry/issues/681 https://github.com/docker-archive/migrator/issues/96",
			Unasked: 100, Cap: 1000,
			Above: Answer{
				Status: http.StatusBadRequest, Code: "UNSUPPORTED",
				Message: "Invalid parameter at 'maxResults' failed to satisfy constraint: 'Member must have value less than or equal to 1000'",
			},
		},
		Link: Link{Source: "https://github.com/genuinetools/reg/issues/206"},
		Login: Login{
			Source:     "https://github.com/mayflower/docker-ls/issues/28",
			Challenges: []string{`Basic realm="{origin}/",service="ecr.amazonaws.com"`},
		},
		Manifests:  Manifests{Source: "https://github.com/distribution/distribution/issues/3792", NoDigestOnGet: true},
		NewList:    ecrUnknown,
		NewUpload:  ecrUnknown,
		NoManifest: Answer{Source: NotTold},
		Denied: Answer{
			Source: "https://docs.aws.amazon.com/AmazonECR/latest/userguide/common-errors.html",
			Status: http.StatusForbidden, Code: "DENIED",
			Message: "User: arn:aws:iam::123456789012:user/reader is not authorized to perform: ecr:InitiateLayerUpload",
		},
		Throttled: Answer{
			Source: "https://docs.aws.amazon.com/AmazonECR/latest/userguide/common-errors.html",
			Status: http.StatusTooManyRequests, Code: "TOOMANYREQUESTS", Message: "Too Many Requests",
		},
		Immutable: Refusal{
			Answer: Answer{
				Source: "https://github.com/moby/buildkit/issues/3776 https://github.com/aws/containers-roadmap/issues/2380",
				Status: http.StatusBadRequest, Code: "TAG_INVALID",
				Message: "The image tag '{tag}' already exists in the '{repo}' repository and cannot be overwritten because the repository is immutable.",
			},
			Same: true,
		},
		Delete: Deletion{Answer: Answer{Source: "https://github.com/DIAGNijmegen/rse-grand-challenge/issues/2848", Status: http.StatusAccepted}},
	},
	{
		Name: "Azure ACR",
		List: List{Source: NotTold},
		Page: Page{Source: NotTold},
		Link: Link{Source: NotTold},
		Login: Login{
			Source:     "https://github.com/Azure/acr/blob/main/docs/AAD-OAuth.md https://github.com/Azure/acr/issues/676",
			Challenges: []string{`Bearer realm="{origin}/oauth2/token",service="{host}",scope="repository:{repo}:{action}"`},
			Token:      "/oauth2/token",
			Key:        "access_token",
			ListAction: "metadata_read",
		},
		Manifests: Manifests{Source: NotTold},
		NewList: Answer{
			Source: "https://github.com/Azure/acr/issues/79",
			Status: http.StatusNotFound, Code: "NAME_UNKNOWN", Message: "repository name not known to registry", Detail: `{"name":"{repo}"}`,
		},
		NewUpload:  Answer{Source: NotTold},
		NoManifest: Answer{Source: NotTold},
		Denied: Answer{
			Source: "https://github.com/Azure/acr/issues/676",
			Status: http.StatusUnauthorized, Code: "UNAUTHORIZED",
			Message: "authentication required, visit https://aka.ms/acr/authorization for more information.",
			Detail:  `[{"Type":"repository","Name":"{repo}","Action":"{action}"}]`,
		},
		Throttled: Answer{Source: NotTold},
		Immutable: Refusal{Answer: Answer{ // of a tag that was locked; seen where one was to be deleted
			Source: "https://github.com/Azure/acr-cli/issues/70",
			Status: http.StatusMethodNotAllowed, Code: "REGISTRY_DISALLOWED_OPERATION",
			Message: "The operation is disallowed on this registry, repository or image. View troubleshooting steps at https://aka.ms/acr/faq/#why-does-my-pull-or-push-request-fail-with-disallowed-operation",
			Detail:  `{}`,
		}},
		Delete: Deletion{Answer: Answer{Source: "https://github.com/fluxcd/pkg/pull/328", Status: http.StatusAccepted}},
	},
	{
		Name: "Docker Hub",
		List: List{Source: NotTold},
		Page: Page{Source: NotTold},
		Link: Link{Source: NotTold},
		Login: Login{ // the token service is on a host of its own there
			Source:     "https://distribution.github.io/distribution/spec/auth/token/",
			Challenges: []string{`Bearer realm="{origin}/token",service="registry.docker.io",scope="repository:{repo}:{action}"`},
			Token:      "/token",
			Again:      `Bearer realm="{origin}/token",service="registry.docker.io",scope="repository:{repo}:{action}",error="insufficient_scope"`,
		},
		Manifests:  Manifests{Source: NotTold},
		NewList:    hubDenied("https://github.com/crazy-max/diun/issues/660"),
		NewUpload:  Answer{Source: NotTold},
		NoManifest: Answer{Source: NotTold},
		Denied:     hubDenied("https://github.com/docker/hub-feedback/issues/1678"),
		Throttled: Answer{
			Source: "https://docs.docker.com/docker-hub/usage/pulls/",
			Status: http.StatusTooManyRequests,
			Text:   "You have reached your pull rate limit. You may increase the limit by authenticating and upgrading: https://www.docker.com/increase-rate-limits",
		},
		Immutable: Refusal{Answer: Answer{ // the words are not told
			Source: "https://github.com/docker/hub-feedback/issues/2466",
			Status: http.StatusForbidden, Code: "DENIED", Message: "requested access to the resource is denied",
		}},
		Delete: Deletion{
			Answer: Answer{
				Source: "https://github.com/docker/hub-feedback/issues/2450 https://github.com/docker/hub-feedback/issues/2360",
				Status: http.StatusAccepted,
			},
			Action: "delete",
		},
	},
	{
		Name: "GHCR",
		List: List{Source: NotTold},
		Page: Page{Source: "https://github.com/smg-project/smg/pull/2348", Unasked: 100},
		Link: Link{Source: "https://github.com/smg-project/smg/pull/2348"},
		Login: Login{
			Source:     "https://github.com/traefik/traefik-helm-chart/issues/1613",
			Challenges: []string{`Bearer realm="{origin}/token",service="{host}",scope="repository:{repo}:{action}"`},
			Token:      "/token",
			Refuses:    true,
		},
		Manifests:  Manifests{Source: NotTold},
		NewList:    Answer{Source: NotTold},
		NewUpload:  Answer{Source: NotTold},
		NoManifest: Answer{Source: NotTold},
		Denied: Answer{
			Source: "https://github.com/traefik/traefik-helm-chart/issues/1613",
			Status: http.StatusForbidden, Code: "DENIED", Message: "requested access to the resource is denied",
		},
		Throttled: Answer{
			Source: "https://github.com/falcosecurity/plugins/issues/1069",
			Status: http.StatusTooManyRequests, Code: "TOOMANYREQUESTS", Message: "retry-after: 1.16ms, allowed: 44000/minute",
		},
		Immutable: Refusal{Answer: Answer{Source: NotTold}},
		Delete: Deletion{Answer: Answer{
			Source: "https://github.com/containers/skopeo/issues/1880",
			Status: http.StatusMethodNotAllowed, Code: "UNSUPPORTED", Message: "The operation is unsupported.",
		}},
	},
}

// ecrUnknown is what ECR says of a repository that was not created, whatever is asked of it.
var ecrUnknown = Answer{
	Source: "https://github.com/aws-actions/amazon-ecr-login/issues/202",
	Status: http.StatusNotFound, Code: "NAME_UNKNOWN",
	Message: "The repository with name '{repo}' does not exist in the registry with id '123456789012'",
}

// hubDenied is a 401 whose challenge says insufficient_scope, which Docker prints as "requested access to the resource is
// denied".
func hubDenied(source string) Answer {
	return Answer{
		Source: source,
		Status: http.StatusUnauthorized, Code: "UNAUTHORIZED", Message: "authentication required",
		Detail: `[{"Type":"repository","Class":"","Name":"{repo}","Action":"{action}"}]`,
	}
}
