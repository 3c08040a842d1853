package cluster

import (
	"fmt"
	"strings"
)

// way follows the word of a Kustomization from an Alert that hears it to GitHub, and finds
// where it ends. P is nil where the Alert's Provider is not there.
func (l look) way(a *alert, p *provider, k *kustomization) []Fault {
	if p == nil {
		return l.noProvider(a)
	}
	for _, check := range []func(*alert, *provider, *kustomization) []Fault{silent, filters, l.wrongAddress, l.noSecret, refused, l.undelivered, drops} {
		if found := check(a, p, k); len(found) > 0 {
			return found
		}
	}
	return nil
}

func (l look) noProvider(a *alert) []Fault {
	f := Fault{
		Code: "provider-missing", Severity: failed, Stage: validated,
		Message: fmt.Sprintf("%s sends to %s, which is not there", a, naming("Provider", a.Spec.providerID(a.Metadata.Namespace))),
		Hint:    fmt.Sprintf("declare that Provider in the namespace of the Alert, or correct spec.providerRef.name of %s", a),
	}
	if l.foreign["Provider"] {
		f.Hint = "`kubectl get providers` means another API here: make the file with `" + getObjects + "`"
	}
	return []Fault{f}
}

// providerID is always in the Alert's own namespace (notification-controller,
// getNotificationParams).
func (s alertSpec) providerID(namespace string) id { return id{namespace, s.ProviderRef.Name} }

// silent finds an Alert or a Provider that was told to be.
func silent(a *alert, p *provider, _ *kustomization) []Fault {
	switch {
	case a.Spec.Suspend:
		return []Fault{suspended(a.String(), validated, "flux resume alert "+on(a.id()))}
	case p.Spec.Suspend:
		return []Fault{suspended(p.String(), validated, "flux resume alert-provider "+on(p.id()))}
	}
	return nil
}

// filters finds an Alert that hears of health and drops it.
func filters(a *alert, p *provider, k *kustomization) []Fault {
	message := finished
	if p.Spec.Type == "githubdispatch" {
		message = passed
	}
	by := filtered(a, message)
	if by == "" {
		return nil
	}
	return []Fault{{
		Code: "alert-filters-all", Severity: failed, Stage: validated,
		Message: fmt.Sprintf("%s never tells that %s is healthy: it drops %s by %s", a, k, quote(message), by),
		Hint:    fmt.Sprintf("set spec.eventSeverity of %s to info, and let that message through both lists", a),
	}}
}

// wrongAddress finds a Provider that tells another repository. Without spec.address it is in
// the secret (notification-controller, createNotifier).
func (l look) wrongAddress(_ *alert, p *provider, _ *kustomization) []Fault {
	f := Fault{
		Code: "provider-wrong-address", Severity: failed, Stage: validated,
		Hint: fmt.Sprintf("set spec.address of %s to %s", p, quote(l.page())),
	}
	if p.Spec.Address == "" {
		if p.Spec.SecretRef.Name != "" {
			return nil
		}
		f.Message = fmt.Sprintf("%s has no spec.address", p)
		return []Fault{f}
	}
	shown := quote(address(p.Spec.Address))
	host, path := gitAddress(p.Spec.Address)
	_, server := gitServer(l.gate.Server)
	switch {
	case strings.Count(path, "/") != 1 || strings.HasPrefix(path, "/") || strings.HasSuffix(path, "/"):
		f.Message = fmt.Sprintf("%s has spec.address %s, which Flux does not read as OWNER/NAME on a host", p, shown)
	case l.gate.Repository != "" && (!strings.EqualFold(path, l.gate.Repository) || server != "" && !strings.EqualFold(host, server)):
		f.Message = fmt.Sprintf("%s tells %s, and not %s", p, shown, quote(l.page()))
	default:
		return nil
	}
	return []Fault{f}
}

// page is the address of the repository that must hear of the gate.
func (l look) page() string {
	scheme, host := gitServer(l.gate.Server)
	if host == "" {
		scheme, host = "https", "github.com"
	}
	repository := l.gate.Repository
	if repository == "" {
		repository = "OWNER/NAME"
	}
	return scheme + "://" + host + "/" + repository
}

func gitServer(server string) (scheme, host string) {
	scheme, host, _ = strings.Cut(strings.TrimRight(server, "/"), "://")
	return scheme, host
}

// gitAddress takes a git URL apart as notification-controller's parseGitAddress does:
// https://HOST/OWNER/NAME.git, ssh://git@HOST/OWNER/NAME, git@HOST:OWNER/NAME. A slash at the
// end is one too many.
func gitAddress(s string) (host, path string) {
	s = address(s)
	_, rest, isURL := strings.Cut(s, "://")
	separator := "/"
	if !isURL {
		rest, separator = s, ":"
	}
	host, path, _ = strings.Cut(rest, separator)
	return host, strings.TrimSuffix(strings.TrimLeft(path, "/"), ".git")
}

// noSecret finds a Provider without a login. Which secrets there are need not be known.
func (l look) noSecret(_ *alert, p *provider, _ *kustomization) []Fault {
	f := Fault{Code: "provider-secret-missing", Severity: failed, Stage: validated}
	ref := id{p.Metadata.Namespace, p.Spec.SecretRef.Name}
	switch {
	case ref.name == "":
		f.Message = fmt.Sprintf("%s has no spec.secretRef, and GitHub lets nobody write without a login", p)
		f.Hint = fmt.Sprintf("set spec.secretRef of %s to a secret with the key token, one that may write commit statuses", p)
	case l.named && !l.secrets[ref]:
		f.Message = fmt.Sprintf("%s has its login in %s, which is not there", p, naming("Secret", ref))
		f.Hint = fmt.Sprintf("`kubectl create secret generic %s --from-file=token=FILE`, with a token that may write commit statuses", on(ref))
		if len(l.secrets) == 0 {
			f.Message += ", nor is any other"
			f.Hint += "; the list of secrets has none at all, as it has where kubectl may not list them"
		}
	default:
		return nil
	}
	return []Fault{f}
}

// refused finds a Provider or an Alert that says itself that it does not work, as they do up
// to v1beta2.
func refused(a *alert, p *provider, _ *kustomization) []Fault {
	what, c := p.String(), p.ready()
	if c.Status != "False" {
		what, c = a.String(), a.ready()
	}
	if c.Status != "False" {
		return nil
	}
	return []Fault{{
		Code: "provider-failing", Severity: failed, Stage: validated, Since: c.LastTransitionTime.Time,
		Message: fmt.Sprintf("%s is not ready: %s", what, said(c.Reason+": "+c.Message)),
		Hint:    "mend what it names; `kubectl logs -n flux-system deploy/notification-controller` has more",
	}}
}

// drops finds a Provider that never tells of a reconciliation that ended well: Flux gives
// those to git providers and webhooks only (docs/facts.md 2). What githubdispatch does tell is a
// health check that passed.
func drops(_ *alert, p *provider, k *kustomization) []Fault {
	if p.Spec.Type != "githubdispatch" {
		return nil
	}
	f := Fault{
		Code: "provider-drops-event", Severity: warning, Stage: validated,
		Message: fmt.Sprintf("%s is of type githubdispatch, which tells of %s only when a health check passes: of a candidate that changes nothing on the cluster GitHub never hears", p, k),
		Hint:    fmt.Sprintf("use a Provider of type github, which writes a commit status, in place of %s", p),
	}
	if !k.Spec.Wait && len(k.Spec.HealthChecks) == 0 {
		f.Severity = failed
		f.Message = fmt.Sprintf("%s is of type githubdispatch, which never tells that a reconciliation succeeded, and %s has no health check (spec.wait, spec.healthChecks) of which it would tell", p, k)
		f.Hint += fmt.Sprintf("; or at least set spec.wait: true on %s", k)
	}
	return []Fault{f}
}
