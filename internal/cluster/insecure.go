package cluster

import (
	"fmt"
	"strings"
)

// notInsecure finds a source that asks a registry without TLS by HTTPS. What is plain-http here is spec.insecure there.
func (l look) notInsecure(src *source) []Fault {
	c := src.ready()
	if c.Status != "False" || !strings.Contains(c.Message, "server gave HTTP response to HTTPS client") { // net/http's words
		return nil
	}
	return []Fault{{
		Code: "source-not-ready", Severity: failed, Stage: l.stage(), Since: src.readySince(),
		Message: fmt.Sprintf("%s is not ready: %s", src, said(c.Reason+": "+c.Message)),
		Hint:    fmt.Sprintf("the registry speaks plain HTTP: set spec.insecure: true on %s if it is a local one", src),
	}}
}
