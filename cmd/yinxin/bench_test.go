package main

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/yinxin-trust/yinxin/internal/sample"
)

// The benchmarks drive a whole service from outside and count the CPU of all its processes: ours, PostgreSQL's and the
// witness's. Wall-clock time on a shared machine says little; cpu-ms/op is the figure.

// ticksPerSecond is USER_HZ, 100 on every Linux that Go runs on.
const ticksPerSecond = 100

// consumed is what the processes of a service use together, by name: ours and the witness's are yinxin.
type consumed struct {
	cpu map[string]time.Duration
	kb  map[string]int64 // resident
}

func (u consumed) total() (cpu time.Duration) {
	for _, d := range u.cpu {
		cpu += d
	}
	return cpu
}

// family is the CPU time and resident memory of a process and all below it. Time of children that have ended is counted by
// their parent.
func family(b *testing.B, root int) consumed {
	b.Helper()
	type process struct {
		parent int
		name   string
		ticks  int64
		kb     int64
	}
	all := map[int]process{}
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		b.Fatal(err)
	}
	for _, path := range stats {
		raw, err := os.ReadFile(path)
		if err != nil {
			continue // it has ended meanwhile
		}
		pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		open, end := bytes.IndexByte(raw, '('), bytes.LastIndexByte(raw, ')')
		fields := strings.Fields(string(raw[end+1:]))
		parent, _ := strconv.Atoi(fields[1])
		p := process{parent: parent, name: string(raw[open+1 : end])}
		for _, i := range []int{11, 12, 13, 14} { // utime, stime, cutime, cstime
			n, _ := strconv.ParseInt(fields[i], 10, 64)
			p.ticks += n
		}
		pages, _ := strconv.ParseInt(fields[21], 10, 64)
		p.kb = pages * int64(os.Getpagesize()) / 1024
		all[pid] = p
	}
	below := func(pid int) bool {
		for range 64 {
			if pid == root {
				return true
			}
			p, ok := all[pid]
			if !ok {
				return false
			}
			pid = p.parent
		}
		return false
	}
	u := consumed{cpu: map[string]time.Duration{}, kb: map[string]int64{}}
	for pid, p := range all {
		if below(pid) {
			u.cpu[p.name] += time.Duration(p.ticks) * time.Second / ticksPerSecond
			u.kb[p.name] += p.kb
		}
	}
	return u
}

// measured runs f b.N times and reports the CPU of the whole service for each.
func measured(b *testing.B, r *running, f func(i int)) {
	b.Helper()
	before := family(b, r.cmd.Process.Pid)
	b.ResetTimer()
	for i := range b.N {
		f(i)
	}
	b.StopTimer()
	after := family(b, r.cmd.Process.Pid)
	each := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 / float64(b.N) }
	b.ReportMetric(each(after.total()-before.total()), "cpu-ms/op")
	b.ReportMetric(each(after.cpu["postgres"]-before.cpu["postgres"]), "postgres-cpu-ms/op")
	b.ReportMetric(float64(after.kb["yinxin"])/1024, "service-MB")
}

func benchDemo(b *testing.B) (*running, context.Context) {
	b.Helper()
	r := shared(b)
	return r, b.Context()
}

// BenchmarkIssue is the whole path of a license: accepted, drawn, sealed, verified, stored, in the directory, in the ledger.
func BenchmarkIssue(b *testing.B) {
	r, ctx := benchDemo(b)
	run := time.Now().UnixNano()
	measured(b, r, func(i int) { issued(ctx, b, r, fmt.Sprintf("B%d-%d", run, i), i%sample.Enterprises) })
}

// BenchmarkCheckCode is a clerk's scan: a fresh code each time, minted outside the count of operations but inside its CPU.
func BenchmarkCheckCode(b *testing.B) {
	r, ctx := benchDemo(b)
	id := issued(ctx, b, r, fmt.Sprintf("BC%d", time.Now().UnixNano()), 4)
	codes := make([]string, b.N)
	for i := range codes {
		var shown struct {
			Code string `json:"code"`
		}
		in := map[string]any{"purpose": "counter", "holder": map[string]string{"type": "001", "code": sample.EnterpriseAt(4).USCC}}
		if status, body, err := r.call(ctx, "POST", "/licenses/"+id+"/codes", in, &shown); err != nil || status != 201 {
			b.Fatalf("show: %d %s %v", status, body, err)
		}
		codes[i] = shown.Code
	}
	measured(b, r, func(i int) {
		if status, body, err := r.call(ctx, "POST", "/verifications/code", map[string]string{"code": codes[i]}, nil); err != nil || status != 200 {
			b.Fatalf("check: %d %s %v", status, body, err)
		}
	})
}

// BenchmarkVerifyFileOnline is the judgement of an uploaded file with what the service knows of it.
func BenchmarkVerifyFileOnline(b *testing.B) {
	r, ctx := benchDemo(b)
	id := issued(ctx, b, r, fmt.Sprintf("BV%d", time.Now().UnixNano()), 4)
	_, file, err := r.call(ctx, "GET", "/licenses/"+id+"/file", nil, nil)
	if err != nil {
		b.Fatal(err)
	}
	measured(b, r, func(int) {
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, r.record.BaseURL+"/api/v1/verifications/file", bytes.NewReader(file))
		if err != nil {
			b.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/ofd")
		if status, body, err := r.do(req); err != nil || status != 200 {
			b.Fatalf("verify: %d %s %v", status, body, err)
		}
	})
}

// BenchmarkIdle says what the service holds and uses while nobody asks anything.
func BenchmarkIdle(b *testing.B) {
	r, _ := benchDemo(b)
	<-time.After(2 * idlePause) // what the start left to do is done
	before := family(b, r.cmd.Process.Pid)
	began := time.Now()
	for b.Loop() {
		<-time.After(5 * time.Second) // the time is what is measured
	}
	after, took := family(b, r.cmd.Process.Pid), time.Since(began).Seconds()
	b.ReportMetric(float64((after.total()-before.total()).Microseconds())/took/1000, "cpu-ms/s")
	for name, kb := range after.kb {
		b.ReportMetric(float64(kb)/1024, name+"-MB")
		b.ReportMetric(float64((after.cpu[name]-before.cpu[name]).Microseconds())/took/1000, name+"-cpu-ms/s")
	}
}
