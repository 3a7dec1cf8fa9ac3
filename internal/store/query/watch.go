package query

import (
	"bytes"
	"context"
	"os"
	"runtime/metrics"
	"strconv"
	"time"

	"warifu/internal/fault"
)

// watchEvery is how often the memory of the process is looked at. A query can take
// about a gigabyte in a second.
const watchEvery = 5 * time.Millisecond

// watch ends the context when the process has grown by more than most bytes since,
// apart from what Go's own heap did. SQLite's allocator keeps no count, and its heap
// limit would be the other connections' as well.
func watch(ctx context.Context, most int64) (context.Context, func()) {
	ctx, stop := context.WithCancelCause(ctx)
	began := outside()
	go func() {
		tick := time.NewTicker(watchEvery)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				if outside()-began > most {
					stop(fault.New(fault.Limit, "the query was stopped because it took more than %d MB of memory", most>>20))
					return
				}
			}
		}
	}()
	return ctx, func() { stop(nil) }
}

// outside is the memory of the process that is not Go's, in bytes; 0 where the
// system does not tell.
func outside() int64 {
	b, err := os.ReadFile("/proc/self/statm")
	fields := bytes.Fields(b)
	if err != nil || len(fields) < 2 {
		return 0
	}
	pages, _ := strconv.ParseInt(string(fields[1]), 10, 64)
	samples := []metrics.Sample{{Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"}}
	metrics.Read(samples)
	return pages*int64(os.Getpagesize()) - int64(samples[0].Value.Uint64()-samples[1].Value.Uint64())
}
