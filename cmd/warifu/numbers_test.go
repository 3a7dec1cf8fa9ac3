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

// What a user is promised about the program's weight.
const (
	maxSize  = 30e6     // bytes of the program
	maxReady = 300      // milliseconds from start to ready, on an existing folder
	maxIdle  = 40 << 10 // KiB of resident memory after the first requests
)

// TestNumbers measures the program as it is released. The time is the best of
// several, because other tests run beside it.
func TestNumbers(t *testing.T) {
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
	t.Logf("size of the program: %.1f MB", float64(info.Size())/1e6)
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
	t.Logf("start to ready: %d ms", ready.Milliseconds())
	t.Logf("idle memory: %.1f MiB", float64(idle)/1024)
	if ready.Milliseconds() > maxReady {
		t.Errorf("ready after %s, later than %d ms", ready, maxReady)
	}
	if idle > maxIdle {
		t.Errorf("%d KiB of memory when idle, more than %d", idle, maxIdle)
	}
}

func residentKiB(t *testing.T, pid int) (kib int) {
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
