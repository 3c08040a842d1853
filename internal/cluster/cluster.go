// Package cluster is what a cluster's Flux objects say of the gate: files with the output of
// kubectl get -o json in, values and faults out.
//
// It asks nobody, and reads no secret: a file with one is refused. What it knows of Flux was
// read in the sources of its controllers, in the summer of 2026; comments name the function.
package cluster

import (
	"cmp"
	"slices"
	"time"

	"github.com/opencontainers/go-digest"

	"github.com/oci-promote/oci-promote/internal/version"
)

// Role is the stage that a cluster is for.
type Role string

// The roles.
const (
	Integration Role = "integration"
	Live        Role = "live"
)

// State is what one cluster said of itself. The zero value has said nothing, and has no role
// yet: it is guessed from what Add reads.
type State struct {
	Role Role // "" where nobody said it

	files          []string
	sources        map[id]*source
	kustomizations map[id]*kustomization
	alerts         map[id]*alert
	providers      map[id]*provider
	releases       map[id]*release
	secrets        map[id]bool // names only
	named          bool        // whether secrets were told of at all
	refusals       map[telling]refusal
	foreign        map[string]bool // kinds that were there, of an API that is not Flux's
}

// Registry is what the registry says, to compare a cluster with.
type Registry struct {
	Name       string   // HOST/PATH, as it follows oci:// in spec.url
	Tags       []string // all of them
	Constraint version.Constraint
	Candidate  string                         // what integration must be able to select: the newest candidate above the stable, or the next; "" for unknown
	Stable     string                         // the highest; "" for none
	Digest     func(tag string) digest.Digest // "" for unknown
	Ready      func(tag string) time.Time     // since when a cluster could have taken what a tag names; zero for unknown
	Reported   func(d digest.Digest) bool     // whether GitHub has integration's word on an artifact; nil where it was not asked
}

// Gate is the Kustomization whose health counts, and the GitHub repository that must hear of
// it. Each field may be empty: without a name every Kustomization that applies the repository
// counts.
type Gate struct {
	Namespace  string
	Name       string
	Repository string // OWNER/NAME
	Server     string // https://github.com
}

// Severities of a fault.
const (
	failed  = "error"
	warning = "warning"
	info    = "info"
)

// Stages of the path on which a fault holds an artifact up.
const (
	selectedByIntegration = "selected by integration"
	validated             = "validated"
	selectedByLive        = "selected by live"
	runningOnLive         = "running on live"
)

// Fault is one thing that is wrong on a cluster. Message and Hint are one line each and may
// hold text from outside, but none of a secret's.
type Fault struct {
	Code     string // wrong-url, pinned, … as docs/reference.md lists them; stable
	Severity string // error, warning, info
	Stage    string // selected by integration, validated, selected by live, running on live
	Message  string // what is wrong, with the likely cause
	Hint     string // the command or the setting that mends it
	Since    time.Time
	ByAge    bool // it is a fault only by the time since when something could have been taken
}

// Revision is what a cluster has of the repository, and since when.
type Revision struct {
	Tag    string
	Digest digest.Digest
	At     time.Time // zero for unknown
}

// Faults are the things that are wrong with the cluster in that role, errors first; none
// where the cluster does not have the role. Of what follows from another fault on the same
// object nothing is said.
//
// Younger than maxAge a delay is none, or an info. Where its age is not known it is a fault.
func (s *State) Faults(role Role, r Registry, g Gate, now time.Time, maxAge time.Duration) []Fault {
	roles, why := s.Roles(r)
	if !slices.Contains(roles, role) {
		return nil
	}
	l := look{State: s, role: role, registry: r, gate: g, now: now, maxAge: maxAge}
	all := l.faults()
	slices.SortStableFunc(all, func(a, b Fault) int {
		order := []string{failed, warning, info}
		return cmp.Compare(slices.Index(order, a.Severity), slices.Index(order, b.Severity))
	})
	if why == "" {
		return all
	}
	for i, f := range all {
		if f.Severity == failed {
			all[i].Hint += "; " + why
		}
	}
	return all
}

// Fetched is what the cluster in that role has fetched from the repository; not ok where it
// has nothing.
func (s *State) Fetched(role Role, r Registry, g Gate) (Revision, bool) {
	if !s.Has(role, r) {
		return Revision{}, false
	}
	l := look{State: s, role: role, registry: r, gate: g}
	for _, src := range l.sources() {
		if a := src.Status.Artifact; a != nil {
			if tag, d := revision(a.Revision); d != "" {
				return Revision{tag, d, a.LastUpdateTime.Time}, true
			}
		}
	}
	return Revision{}, false
}

// Applied is what the gate's Kustomization has applied and found healthy; on live, what all have
// that apply the repository, since the last of them has. Not ok where one has nothing, not any more,
// or something else: its health check may still run.
func (s *State) Applied(role Role, r Registry, g Gate) (has Revision, ok bool) {
	if !s.Has(role, r) {
		return Revision{}, false
	}
	l := look{State: s, role: role, registry: r, gate: g}
	for _, k := range l.gates() {
		if l.strays(k) != "" {
			continue
		}
		tag, d := revision(k.Status.LastAppliedRevision)
		if d == "" || k.ready().Status != "True" || ok && d != has.Digest {
			return Revision{}, false
		}
		if at := l.healthySince(k); !ok || at.After(has.At) {
			has = Revision{tag, d, at}
		}
		ok = true
	}
	return has, ok
}

// Applies reports whether the cluster in that role told of a Kustomization whose health counts.
func (s *State) Applies(role Role, r Registry, g Gate) bool {
	l := look{State: s, role: role, registry: r, gate: g}
	return s.Has(role, r) && len(l.gates()) > 0
}

// look is one look at a cluster in a role.
type look struct {
	*State
	role     Role
	registry Registry
	gate     Gate
	now      time.Time
	maxAge   time.Duration
}

func (l look) faults() []Fault {
	all, stray := l.lost()
	if !stray {
		for _, src := range l.sources() {
			all = append(all, l.sourceFaults(src)...)
		}
	}
	all = append(all, l.kustomizationFaults(all)...)
	all = append(all, l.misdirected()...)
	if l.role == Integration {
		all = append(all, l.deliveryFaults()...)
	}
	return all
}

// late reports whether something that should have happened by itself since then is overdue.
// What has no time is.
func (l look) late(since time.Time) bool { return since.IsZero() || l.now.Sub(since) > l.maxAge }

func hasError(all []Fault) bool {
	return slices.ContainsFunc(all, func(f Fault) bool { return f.Severity == failed })
}
