package main

import (
	"io"
	"log/slog"
	"os"

	"golang.org/x/sys/unix"

	"warifu/cmd/warifu/internal/config"
)

// newLog makes the program's log: lines for a person on a terminal, JSON
// otherwise.
func newLog(w io.Writer, c config.Log) *slog.Logger {
	opts := &slog.HandlerOptions{Level: c.Level}
	if c.Format == "text" || c.Format == "auto" && isTerminal(w) {
		return slog.New(slog.NewTextHandler(w, opts))
	}
	return slog.New(slog.NewJSONHandler(w, opts))
}

// isTerminal reports whether what is written to w is seen by a person and kept
// by nobody.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	_, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
	return err == nil
}
