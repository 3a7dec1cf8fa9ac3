package store

import (
	"context"
	"errors"
	"runtime"
	"time"

	"warifu/internal/fault"
)

// maxBatch bounds how many updates share a commit, and so how long one waits
// for the others'.
const maxBatch = 256

// errClosed answers what comes after Close.
var errClosed = fault.New(fault.Internal, "store: closed")

// job is an update or the recording of events, waiting for its answer.
type job struct {
	ctx    context.Context
	fn     func(*Tx) error // of an update
	events []eventRow      // to be recorded; see writer.mode
	err    error
	done   chan struct{}
}

// writer lets writes share a commit. A commit costs a sync of the disk, a few
// hundred times what a row costs, so all that was handed in during one commit
// goes into the next. SQLite gets its updates from here, for it has one writer at
// a time anyway; PostgreSQL only the recorded events.
type writer struct {
	db       database
	mode     mode        // write: jobs are updates; record: they are events
	expected int         // how many jobs the next commit is likely to hold
	patience *time.Timer // of company
	changed  func()      // told of each commit before its answer
	queue    chan *job
	quit     chan struct{}
	ended    chan struct{}
}

func startWriter(db database, m mode, changed func()) *writer {
	w := &writer{db: db, mode: m, changed: changed, patience: time.NewTimer(0), queue: make(chan *job, maxBatch), quit: make(chan struct{}), ended: make(chan struct{})}
	go w.loop()
	return w
}

// close answers what was handed in and stops.
func (w *writer) close() {
	close(w.quit)
	<-w.ended
}

// do hands in a job and waits for its answer. A context that ends while the job
// is in the queue drops it; afterwards it is completed.
func (w *writer) do(ctx context.Context, j *job) error {
	j.done = make(chan struct{})
	select {
	case w.queue <- j:
	case <-ctx.Done():
		return fault.Wrap(ctx.Err(), "wait for the writer")
	case <-w.ended:
		return errClosed
	}
	select {
	case <-j.done:
		return j.err
	case <-w.ended:
		return errClosed
	}
}

func (w *writer) loop() {
	defer close(w.ended)
	var batch []*job
	for {
		select {
		case j := <-w.queue:
			batch = w.company(append(batch[:0], j))
			w.commit(batch)
			w.expected = len(batch) + len(w.queue)
			for _, j := range batch {
				close(j.done)
			}
			if len(batch) > 1 {
				// Those just answered run first, so that they are not one
				// commit late with what they write next.
				runtime.Gosched()
			}
		case <-w.quit:
			if len(w.queue) == 0 {
				return
			}
		}
	}
}

// company gathers what is waiting and, for a moment, who is expected: as many as
// were at work during the last commit. A commit costs ten times what another row
// in it does. One caller alone is never kept waiting.
func (w *writer) company(batch []*job) []*job {
	batch = w.gather(batch)
	if len(batch) >= w.expected {
		return batch
	}
	w.patience.Reset(maxWait)
	defer w.patience.Stop()
	for len(batch) < min(w.expected, maxBatch) {
		select {
		case j := <-w.queue:
			batch = append(batch, j)
		case <-w.patience.C:
			return batch
		}
	}
	return batch
}

// maxWait bounds how long a commit waits for company: about what one costs.
const maxWait = 300 * time.Microsecond

// gather adds what is waiting.
func (w *writer) gather(batch []*job) []*job {
	for len(batch) < maxBatch {
		select {
		case j := <-w.queue:
			batch = append(batch, j)
		default:
			return batch
		}
	}
	return batch
}

// commit runs the jobs of a batch in one transaction and sets their answers.
func (w *writer) commit(batch []*job) {
	live := make([]*job, 0, len(batch))
	for _, j := range batch {
		if err := j.ctx.Err(); err != nil {
			j.err = fault.Wrap(err, "wait for the writer")
			continue
		}
		live = append(live, j)
	}
	if len(live) == 0 {
		return
	}
	err := w.together(live)
	for try := 1; try < 3 && w.db.kindOf(err) == kindRetry; try++ {
		err = w.together(live) // another process was writing; opening waits for it
	}
	switch {
	case err == nil:
	case len(live) == 1:
		live[0].err = err
	default:
		// Something ended the transaction as a whole. Alone, each job meets its
		// own fate.
		for _, j := range live {
			w.commit([]*job{j})
		}
	}
}

// errSpoiled says that the transaction cannot go on for the other jobs.
var errSpoiled = errors.New("the shared transaction cannot be continued")

// together runs jobs in one transaction. Its error concerns all of them and
// means that nothing was written; otherwise each has its own answer in err.
func (w *writer) together(jobs []*job) error {
	s, err := w.db.begin(context.Background(), w.mode) // the jobs' own contexts were looked at
	if err != nil {
		return fault.Wrap(err, "begin a transaction")
	}
	open := true
	defer func() {
		if open {
			s.rollback()
		}
	}()
	written := false
	if w.mode == record {
		written, err = true, w.record(s, jobs)
	} else {
		written, err = w.update(s, jobs)
	}
	if err != nil || !written {
		return err
	}
	open = false
	if err := s.commit(); err != nil {
		return fault.Wrap(err, "commit")
	}
	w.changed()
	return nil
}

// record writes the events of all jobs. They stand together: none of them can
// fail alone.
func (w *writer) record(s session, jobs []*job) error {
	var events []eventRow
	for _, j := range jobs {
		events = append(events, j.events...)
	}
	return run(context.Background(), w.db, s, func(tx *Tx) error { return tx.appendRows(events) })
}

// update runs the functions of all jobs and reports whether one succeeded.
func (w *writer) update(s session, jobs []*job) (written bool, err error) {
	for _, j := range jobs {
		if len(jobs) == 1 {
			j.err = run(j.ctx, w.db, s, j.fn)
		} else {
			j.err, err = w.apart(s, j)
		}
		if err != nil {
			return false, err
		}
		written = written || j.err == nil
	}
	return written, nil
}

// apart runs a job so that its failure leaves the others' work alone. The
// second error is that the transaction is lost.
func (w *writer) apart(s session, j *job) (own, all error) {
	ctx := context.Background()
	if _, err := s.ExecContext(ctx, "SAVEPOINT job"); err != nil {
		return nil, err
	}
	if own = run(j.ctx, w.db, s, j.fn); own == nil {
		_, all = s.ExecContext(ctx, "RELEASE job")
		return nil, all
	}
	if _, err := s.ExecContext(ctx, "ROLLBACK TO job"); err != nil {
		return own, errors.Join(errSpoiled, err)
	}
	_, all = s.ExecContext(ctx, "RELEASE job")
	return own, all
}
