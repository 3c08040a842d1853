package cluster

import "fmt"

// layerFails finds a source whose artifact Flux cannot unpack: no gzip-compressed tar or, with spec.layerSelector, none of
// that type (docs/facts.md 33). Unlike other failures of a source this one stays, however often it is asked again.
func (l look) layerFails(src *source) []Fault {
	c := src.ready()
	if c.Status != "False" || c.Reason != "OCIArtifactLayerOperationFailed" {
		return nil
	}
	what := "what it selects"
	if sel, problem := selectionOf(src); problem == "" && sel.pick(l.registry.Tags) != "" {
		what = quote(sel.pick(l.registry.Tags))
	}
	return []Fault{{
		Code: "source-not-ready", Severity: failed, Stage: l.stage(), Since: src.readySince(),
		Message: fmt.Sprintf("%s cannot unpack %s: %s", src, what, said(c.Reason+": "+c.Message)),
		Hint: fmt.Sprintf("its layer must be a gzip-compressed tar, as mode build and `flux push artifact` make it, and of the type in spec.layerSelector where there is one:"+
			" delete %s in the registry and build its commit again; asking again changes nothing", what),
	}}
}
