package oci

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"

	"oras.land/oras-go/v2/errdef"
	"oras.land/oras-go/v2/registry/remote/errcode"
)

// The bounds of the JSON of a page. A tag has 128 bytes at most.
const (
	maxValueBytes = 1 << 20 // of one name, number or space; what is longer would be held in memory
	maxDepth      = 10_000  // as in encoding/json
)

// readTags reads the tags of a page, wherever they stand in it: Google's registries have a map of all images before them
// (docs/facts.md 28). What is not kept takes no memory; left is how many bytes may still be read. What encoding/json would
// not take as a whole is an error, and so is what has no tags, or errors beside them; of two lists the last counts, as there.
func readTags(body io.Reader, left *int64) ([]string, error) {
	text := bufio.NewReader(body)
	if start, _ := text.Peek(text.Size() / 2); bytes.HasPrefix(bytes.TrimSpace(start), []byte("<")) {
		return nil, noTagList(webPage)
	}
	in := &metered{from: text, left: left}
	p := tagReader{json: json.NewDecoder(in)}
	p.json.UseNumber() // of any size
	in.at = p.json.InputOffset
	err := p.object()
	var syntax *json.SyntaxError
	switch {
	case in.failed != nil: // whatever the decoder made of that
		return nil, in.failed
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return nil, noTagList("the answer is cut off")
	case errors.As(err, &syntax):
		return nil, noTagList("the answer is no JSON: " + syntax.Error())
	case err == nil:
		err = p.verdict()
	}
	if err != nil {
		return nil, err
	}
	return p.tags, nil
}

// tagReader reads one page.
type tagReader struct {
	json   *json.Decoder
	tags   []string
	found  bool // there are tags, be they null
	errors json.RawMessage
}

// object reads the whole body.
func (p *tagReader) object() error {
	if t, err := p.json.Token(); err != nil || t != json.Delim('{') {
		return noTagList("the answer is no JSON object")
	}
	for p.json.More() {
		key, err := p.json.Token()
		if err != nil {
			return err
		}
		switch key {
		case "tags":
			err = p.list()
		case "errors":
			err = p.json.Decode(&p.errors)
		default:
			err = p.skip()
		}
		if err != nil {
			return err
		}
	}
	if _, err := p.json.Token(); err != nil {
		return err
	}
	if _, err := p.json.Token(); !errors.Is(err, io.EOF) {
		return noTagList("the answer goes on after its JSON")
	}
	return nil
}

// list reads the tags: a list of strings, or null, by which Distribution says of a repository that its tags were all deleted.
func (p *tagReader) list() error {
	p.tags, p.found = nil, true
	if t, err := p.json.Token(); err != nil || t == nil {
		return err
	} else if t != json.Delim('[') {
		return noTagList(`its "tags" are no list`)
	}
	size := 0
	for p.json.More() {
		t, err := p.json.Token()
		if err != nil {
			return err
		}
		tag, ok := t.(string)
		if !ok {
			return noTagList(`its "tags" are no list of names`)
		}
		p.tags = append(p.tags, tag)
		if size += len(tag); tooLong(len(p.tags), size) != nil {
			return tooLong(len(p.tags), size)
		}
	}
	_, err := p.json.Token()
	return err
}

// skip reads one value of any kind.
func (p *tagReader) skip() error {
	for depth := 0; ; {
		t, err := p.json.Token()
		if err != nil {
			return err
		}
		switch t {
		case json.Delim('{'), json.Delim('['):
			depth++
		case json.Delim('}'), json.Delim(']'):
			depth--
		}
		switch {
		case depth == 0:
			return nil
		case depth >= maxDepth: // the page is one more
			return noTagList("the answer is nested too deeply")
		}
	}
}

// verdict says why a page is not a tag list all the same. Where errors stand beside the tags, these are not all.
func (p *tagReader) verdict() error {
	var (
		says string
		some []json.RawMessage
		errs errcode.Errors
	)
	if len(p.errors) > 0 && (json.Unmarshal(p.errors, &some) != nil || len(some) > 0) { // null is none
		says = string(p.errors)
		if json.Unmarshal(p.errors, &errs) == nil && inWords(errs) != "" {
			says = inWords(errs)
		}
	}
	switch {
	case !p.found && says == "":
		return noTagList(`the answer has no "tags"`)
	case !p.found:
		return noTagList(`the answer has no "tags", but errors: ` + clip(says))
	case says != "":
		return noTagList(`beside its "tags" the answer has errors: ` + clip(says))
	}
	return nil
}

func noTagList(problem string) error {
	return &Error{Status: http.StatusOK, text: "200, but " + problem, hint: notARegistry}
}

// metered gives an answer on. It fails where one value is too long to be held, and where the list has no end.
type metered struct {
	from   io.Reader
	at     func() int64 // how much of it is decoded
	read   int64
	left   *int64
	failed error
}

func (m *metered) Read(b []byte) (n int, err error) {
	switch {
	case m.read-m.at() > maxValueBytes:
		err = fmt.Errorf("a value of more than %d MiB in the tag list: %w", maxValueBytes>>20, errdef.ErrSizeExceedsLimit)
	case *m.left <= 0:
		err = fmt.Errorf("a tag list of more than %d MiB: %w", maxListBytes>>20, errdef.ErrSizeExceedsLimit)
	default:
		n, err = m.from.Read(b)
		m.read += int64(n)
		*m.left -= int64(n)
	}
	if err != nil && !errors.Is(err, io.EOF) {
		m.failed = err
	}
	return n, err
}
