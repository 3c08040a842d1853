package bench

import (
	"bufio"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Results are measurements by work, size, latency in milliseconds, tool and unit. Several runs give several values.
type Results struct {
	values  map[string][]float64
	Machine []string // what the runs said of themselves: cpu, kernel, versions; each once
}

func key(work, size, latency, tool, unit string) string {
	return strings.Join([]string{work, size, latency, tool, unit}, " ")
}

// Read reads what `go test -bench` printed, in the form that benchstat reads too.
func Read(r io.Reader) (*Results, error) {
	results := &Results{values: map[string][]float64{}}
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		line := lines.Text()
		fields := strings.Fields(line)
		switch {
		case len(fields) >= 4 && strings.HasPrefix(line, "Benchmark"):
			if err := results.add(fields); err != nil {
				return nil, fmt.Errorf("reading %q: %w", line, err)
			}
		case strings.HasPrefix(line, "cpu: "), strings.HasPrefix(line, "machine-"):
			if line = strings.TrimPrefix(line, "machine-"); !slices.Contains(results.Machine, line) {
				results.Machine = append(results.Machine, line)
			}
		}
	}
	return results, lines.Err()
}

// cores is what go test puts after the name of a benchmark, if they are more than one.
var cores = regexp.MustCompile(`-[0-9]+$`)

func (r *Results) add(fields []string) error {
	name := cores.ReplaceAllString(fields[0], "")
	parts := strings.Split(strings.TrimPrefix(name, "Benchmark"), "/")
	is := map[string]string{}
	for _, part := range parts[1:] {
		k, v, _ := strings.Cut(part, "=")
		is[k] = v
	}
	for i := 2; i+1 < len(fields); i += 2 {
		value, err := strconv.ParseFloat(fields[i], 64)
		if err != nil {
			return err
		}
		k := key(parts[0], is["tags"]+is["tree"], strings.TrimSuffix(is["latency"], "ms"), is["tool"], fields[i+1])
		r.values[k] = append(r.values[k], value)
	}
	return nil
}

// median is false where nothing was measured.
func (r *Results) median(work, size, latency, tool, unit string) (float64, bool) {
	values := slices.Sorted(slices.Values(r.values[key(work, size, latency, tool, unit)]))
	n := len(values)
	if n == 0 {
		return 0, false
	}
	return (values[(n-1)/2] + values[n/2]) / 2, true
}

// least is the smallest of the values. A chain can only be counted too long: of two requests that a client sends at once,
// one may begin late on a busy machine.
func (r *Results) least(work, size, latency, tool, unit string) float64 {
	values := r.values[key(work, size, latency, tool, unit)]
	if len(values) == 0 {
		return 0
	}
	return slices.Min(values)
}

// most is the largest of the values; 0 where nothing was measured.
func (r *Results) most(work, size, latency, tool, unit string) float64 {
	return slices.Max(append(slices.Clone(r.values[key(work, size, latency, tool, unit)]), 0))
}

// runs is how often a row was measured at least, and at most.
func (r *Results) runs() (least, most int) {
	for k, values := range r.values {
		if strings.HasSuffix(k, " ns/op") {
			if least == 0 {
				least = len(values)
			}
			least, most = min(least, len(values)), max(most, len(values))
		}
	}
	return least, most
}
