package main

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// What the program's weight should be.
const (
	maxSize  = 30e6     // bytes of the program
	maxReady = 300      // milliseconds from start to ready, on an existing folder
	maxIdle  = 40 << 10 // KiB of resident memory after the first requests
)

// BenchmarkNumbers weighs the program as it is released, and fails when it is too
// heavy. The time is the best of several.
func BenchmarkNumbers(t *testing.B) {
	program := filepath.Join(t.TempDir(), "warifu")
	build := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", program, "warifu/cmd/warifu")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	info, err := os.Stat(program)
	if err != nil {
		t.Fatal(err)
	}
	t.ReportMetric(float64(info.Size())/1e6, "MB")
	if info.Size() > maxSize {
		t.Errorf("the program has %d bytes, more than %.0f", info.Size(), maxSize)
	}

	data, _ := initFolder(t)
	ready, idle := time.Hour, 0
	for try := 0; try < 10 && (try < 3 || ready.Milliseconds() > maxReady); try++ {
		began := time.Now()
		p := &process{public: freePort(t), admin: freePort(t), log: &lockedBuffer{}, ended: make(chan struct{})}
		p.Cmd = exec.Command(program, "serve", "--data", data, "--listen", p.public, "--admin-listen", p.admin)
		p.Stdout, p.Stderr = p.log, p.log
		p.start(t)
		ready = min(ready, time.Since(began))
		time.Sleep(500 * time.Millisecond)
		idle = max(idle, residentKiB(t, p.Process.Pid))
		if status := p.end(t, sigterm); status != 0 {
			t.Fatalf("exit status %d\n%s", status, p.log)
		}
	}
	t.ReportMetric(float64(ready.Milliseconds()), "ms-to-ready")
	t.ReportMetric(float64(idle)/1024, "MiB-idle")
	t.ReportMetric(0, "ns/op") // says nothing
	if ready.Milliseconds() > maxReady {
		t.Errorf("ready after %s, later than %d ms", ready, maxReady)
	}
	if idle > maxIdle {
		t.Errorf("%d KiB of memory when idle, more than %d", idle, maxIdle)
	}
}

func residentKiB(t testing.TB, pid int) (kib int) {
	t.Helper()
	f, err := os.Open(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for s := bufio.NewScanner(f); s.Scan(); {
		if rest, ok := strings.CutPrefix(s.Text(), "VmRSS:"); ok {
			if _, err := fmt.Sscan(rest, &kib); err != nil {
				t.Fatal(err)
			}
		}
	}
	return kib
}
