// Package build is mode build: it packs a directory, numbers it by the height of its commit
// and pushes it as a candidate. A build needs to know of no other one.
package build

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/oci-promote/oci-promote/internal/bundle"
	"github.com/oci-promote/oci-promote/internal/pipeline"
	"github.com/oci-promote/oci-promote/internal/version"
)

// Build is one build of one commit.
//
// Building the same commit twice changes nothing the second time. A build that was
// killed anywhere is completed by the next run of the same commit. Any number of builds may
// run at once: two commits of one line of history have two heights, and two tags.
type Build struct {
	Repo          pipeline.Repository
	Name          string  // of the repository, for messages and the reference
	History       History // nil where nobody can be asked for the order of commits
	Source        fs.FS
	Pack          bundle.Options
	Meta          bundle.Metadata                       // Height and Created are Origin's
	Origin        func(context.Context) (Origin, error) // asked beside the packing
	Bump          version.Bump
	AutoBump      bool                    // read Bump from the commits since the stable
	Path          string                  // of Source in the git repository, for AutoBump
	Initial       version.Stable          // the first base
	SHALength     int                     // digits of the commit in its tags
	SkipUnchanged bool                    // no push when integration already selects the same content
	Overwrite     bool                    // let this commit's tags move to other content
	Again         bool                    // the job is run again: look first whether anything is left to upload
	DryRun        bool                    // read and plan, write nothing
	Clusters      pipeline.Clusters       // for the warning when integration would not select the candidate
	Log           func(step string)       // a step that takes time begins; may be nil
	Upload        func(sent, total int64) // progress of the layer, in bytes; may be nil
}

// Origin is where a commit stands in history.
type Origin struct {
	Height  uint64    // how many commits lead to it, itself included; never a guess
	Created time.Time // of the commit
	Warning string    // of the time; may be empty
}

// History is what a build asks of the git repository's host.
type History interface {
	pipeline.History
	// Messages are the messages of the commits after since up to and including until
	// that touch path ("." for any).
	Messages(ctx context.Context, since, until, path string) ([]string, error)
}

// Run builds. What it reports is true when it returns. It writes the candidate, then sha-
// and integration-, and what promise 9 says is due.
func (b Build) Run(ctx context.Context) (_ pipeline.Report, err error) {
	r := &run{Build: b}
	r.report = pipeline.Report{Mode: "build", Repository: b.Name, SHA: b.Meta.Revision.Commit, Tags: []string{}}
	r.store = &pipeline.Store{Repo: b.Repo, Name: b.Name, Warn: r.report.Warn}
	if b.History != nil { // an interface that holds nothing is not nil
		r.store.History = b.History
	}
	defer func() { err = errors.Join(err, r.close()) }()
	if err := r.build(ctx); err != nil {
		return r.store.Unfinished(r.report), err
	}
	return r.report, nil
}

func (r *run) build(ctx context.Context) error {
	if err := r.gather(ctx); err != nil {
		return err
	}
	f, err := r.look(ctx)
	if err != nil {
		return err
	}
	p, err := decide(f)
	if err != nil {
		return err
	}
	if r.DryRun {
		return r.planned(ctx, p)
	}
	return r.apply(ctx, p, f)
}

// run is one build under way.
type run struct {
	Build
	store  *pipeline.Store
	packed *bundle.Artifact
	layer  *upload            // of the layer, under way; nil for none
	mine   *pipeline.Artifact // what this run packed
	now    pipeline.Snapshot  // the newest list, and what was learnt of it
	report pipeline.Report
}

// gather does the long things at once: it packs, lists the tags and asks for the height. The
// upload begins when there is something to upload and a height to number it by.
func (r *run) gather(ctx context.Context) error {
	var origin Origin
	known := make(chan struct{})
	g, both := errgroup.WithContext(ctx)
	g.Go(func() (err error) {
		r.now, err = r.store.List(both)
		return err
	})
	g.Go(func() (err error) {
		if origin, err = r.Origin(both); err == nil {
			close(known)
		}
		return err
	})
	g.Go(func() (err error) {
		if r.packed, err = bundle.Pack(both, r.Source, r.Pack); err != nil {
			return fmt.Errorf("packing %q: %w", r.Path, err)
		}
		select {
		case <-both.Done():
		case <-known:
			if !r.DryRun && !r.Again {
				r.layer = r.begin(ctx)
			}
		}
		return nil
	})
	if err := g.Wait(); err != nil {
		return err
	}
	return r.seal(origin)
}

// seal makes the manifest, which tells the height.
func (r *run) seal(o Origin) error {
	if o.Warning != "" {
		r.report.Warn("%s", o.Warning)
	}
	r.Meta.Height, r.Meta.Created = o.Height, o.Created
	if err := r.packed.Seal(r.Meta); err != nil {
		return fmt.Errorf("making the manifest: %w", err)
	}
	c := r.packed.Contents
	r.mine = &pipeline.Artifact{
		Info:     bundle.Info{Created: o.Created, Revision: r.Meta.Revision, Content: c.Digest, Height: o.Height},
		Desc:     r.packed.Descriptor,
		Manifest: r.packed.Manifest,
	}
	r.store.Made(r.mine)
	r.report.Artifact = &pipeline.Packed{
		Revision: r.Meta.Revision.String(), Created: o.Created.UTC(), Content: c.Digest, Height: o.Height,
		Files: c.Files, Bytes: c.Bytes, Size: r.packed.Layer.Size, LeftOut: c.LeftOut,
	}
	for _, warning := range c.Warnings {
		r.report.Warn("%s", warning)
	}
	if c.LeftOut > 0 {
		r.report.Notice("left out, since an artifact holds regular files and directories only: %d (symlinks, pipes, devices)", c.LeftOut)
	}
	return nil
}

func (r *run) close() error {
	if r.layer != nil {
		r.layer.stop()
	}
	if r.packed == nil {
		return nil
	}
	return r.packed.Close()
}

func (r *run) log(format string, args ...any) {
	if r.Log != nil {
		r.Log(fmt.Sprintf(format, args...))
	}
}
