package chaos

import (
	"fmt"
	"strings"
	"sync"
)

// matrix counts what became of the cells.
type matrix struct {
	scenarios []*scenario
	mu        sync.Mutex
	rows      []string
	counts    map[string]map[string]*[3]int // by row and scenario
}

func newMatrix(scenarios []*scenario) *matrix {
	return &matrix{scenarios: scenarios, counts: map[string]map[string]*[3]int{}}
}

func (m *matrix) add(j job, r result) {
	row := j.fault.name + ", once"
	if j.always {
		row = j.fault.name + ", from then on"
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.counts[row] == nil {
		m.rows = append(m.rows, row)
		m.counts[row] = map[string]*[3]int{}
	}
	if m.counts[row][j.scenario.name] == nil {
		m.counts[row][j.scenario.name] = new([3]int)
	}
	m.counts[row][j.scenario.name][r]++
}

func (m *matrix) total() (sum [3]int) {
	for _, row := range m.counts {
		for _, cell := range row {
			for r, n := range cell {
				sum[r] += n
			}
		}
	}
	return sum
}

func (m *matrix) summary() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	sum := m.total()
	return fmt.Sprintf("%d cells: %d survived, %d ended with a clear error, %d failed",
		sum[survived]+sum[clearError]+sum[failed], sum[survived], sum[clearError], sum[failed])
}

// markdown is a table: a row a fault, a column a scenario; in it the cells that survived and those that ended with a
// clear error, and those that failed where there are any.
func (m *matrix) markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n\nIn each field: cells that survived / that ended with a clear error.\n\n| fault |", m.summary())
	for _, s := range m.scenarios {
		fmt.Fprintf(&b, " %s |", s.name)
	}
	b.WriteString("\n|---|" + strings.Repeat("---|", len(m.scenarios)) + "\n")
	for _, row := range m.rows {
		fmt.Fprintf(&b, "| %s |", row)
		for _, s := range m.scenarios {
			n := m.counts[row][s.name]
			switch {
			case n == nil:
				b.WriteString(" |")
			case n[failed] > 0:
				fmt.Fprintf(&b, " %d / %d, **%d failed** |", n[survived], n[clearError], n[failed])
			default:
				fmt.Fprintf(&b, " %d / %d |", n[survived], n[clearError])
			}
		}
		b.WriteString("\n")
	}
	return b.String()
}
