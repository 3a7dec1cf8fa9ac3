package main

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"warifu/cmd/warifu/internal/config"
	"warifu/internal/audit/tree"
	"warifu/internal/ops"
)

type auditCmd struct {
	Export auditExportCmd `cmd:"" help:"Write the whole trail, with the tree that it was sealed into, into a new folder, while the server runs."`
	Verify auditVerifyCmd `cmd:"" help:"Check an export, without a server: name the first event that was altered, removed, inserted, reordered or cut off."`
	Proof  auditProofCmd  `cmd:"" help:"Check the proof of one event, without a server."`
	Key    auditKeyCmd    `cmd:"" help:"Print the public key that the trail's checkpoints are signed with."`
}

type auditExportCmd struct {
	config.Flags
	Folder string `arg:"" help:"Folder to make." type:"path"`
}

// Run exports.
func (cmd *auditExportCmd) Run(h *host) error {
	f, _, err := openBeside(h, cmd.Flags, slog.NewTextHandler(h.stderr, nil))
	if err != nil {
		return err
	}
	defer f.close()
	if err := os.Mkdir(cmd.Folder, 0o700); err != nil {
		return fmt.Errorf("make the folder of the export: %w", err)
	}
	size, err := f.ops.ExportTrail(h, func(name string) (io.WriteCloser, error) {
		path := filepath.Join(cmd.Folder, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			return nil, err
		}
		return os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	})
	if err != nil {
		return fmt.Errorf("export the trail: %w", err)
	}
	_, err = fmt.Fprintf(h.stdout, "Exported %d events to %s.\n", size, cmd.Folder)
	return err
}

type auditKeyCmd struct {
	config.Flags
}

// Run prints the key.
func (cmd *auditKeyCmd) Run(h *host) error {
	f, _, err := openBeside(h, cmd.Flags, slog.NewTextHandler(h.stderr, nil))
	if err != nil {
		return err
	}
	defer f.close()
	key, err := f.ops.TrailKey()
	if err == nil {
		_, err = fmt.Fprintln(h.stdout, key)
	}
	return err
}

type auditVerifyCmd struct {
	Folder string   `arg:"" help:"Folder that warifu audit export made." type:"existingdir"`
	Key    string   `required:"" help:"Public key of the trail, or a file that holds it. Keep it apart from the server." placeholder:"KEY"`
	Anchor []string `help:"File of checkpoints that were kept apart from the server; can be given more than once." placeholder:"FILE"`
}

// errTampered ends a verification that found something.
var errTampered = errors.New("the trail is not whole")

// Run verifies.
func (cmd *auditVerifyCmd) Run(h *host) error {
	key, err := keyText(cmd.Key)
	if err != nil {
		return err
	}
	var anchors []string
	for _, path := range cmd.Anchor {
		b, err := os.ReadFile(path)
		if err != nil {
			return fmt.Errorf("read the checkpoints: %w", err)
		}
		some := tree.SplitNotes(string(b))
		if len(some) == 0 {
			return fmt.Errorf("%s holds no checkpoint", path)
		}
		anchors = append(anchors, some...)
	}
	began := time.Now()
	r, err := ops.VerifyExport(os.DirFS(cmd.Folder), key, anchors)
	if err != nil {
		return fmt.Errorf("verify %s: %w", cmd.Folder, err)
	}
	if r.First != nil {
		fmt.Fprintf(h.stdout, "%s\n", r.First)
		return errTampered
	}
	fmt.Fprintf(h.stdout, "The trail is whole: %d events, in the order in which they were sealed, up to %s.\n", r.Size, r.At.Format(time.RFC3339))
	fmt.Fprintf(h.stdout, "%d checkpoints hold, %d of them kept elsewhere.\n", r.Checkpoints, len(anchors))
	if r.Expired > 0 {
		fmt.Fprintf(h.stdout, "%d events were removed because their time had come, as the server signed.\n", r.Expired)
	}
	if r.Waiting > 0 {
		fmt.Fprintf(h.stdout, "%d events are newer than the newest checkpoint and were not checked.\n", r.Waiting)
	}
	if len(anchors) == 0 {
		fmt.Fprintln(h.stdout, "Without a checkpoint from elsewhere (--anchor) a database that was set back as a whole does not show.")
	}
	_, err = fmt.Fprintf(h.stdout, "It took %s.\n", time.Since(began).Round(time.Millisecond))
	return err
}

// keyText is a public key that is given itself or as a file.
func keyText(given string) (string, error) {
	if strings.Contains(given, "+") {
		if _, err := os.Stat(given); err != nil {
			return given, nil
		}
	}
	b, err := os.ReadFile(given)
	if err != nil {
		return "", fmt.Errorf("read the public key: %w", err)
	}
	return strings.TrimSpace(string(b)), nil
}

type auditProofCmd struct {
	Proof string `arg:"" help:"File of the proof, as the console gives it." type:"existingfile"`
	Event string `arg:"" help:"File of the event, as the console gives it." type:"existingfile"`
	Key   string `required:"" help:"Public key of the trail, or a file that holds it." placeholder:"KEY"`
}

// Run checks.
func (cmd *auditProofCmd) Run(h *host) error {
	key, err := keyText(cmd.Key)
	if err != nil {
		return err
	}
	proof, err := os.ReadFile(cmd.Proof)
	if err != nil {
		return fmt.Errorf("read the proof: %w", err)
	}
	event, err := os.ReadFile(cmd.Event)
	if err != nil {
		return fmt.Errorf("read the event: %w", err)
	}
	n, c, err := tree.CheckProof(string(proof), key, []byte(strings.TrimRight(string(event), "\r\n")))
	if err != nil {
		return fmt.Errorf("the event is not proved: %w", err)
	}
	_, err = fmt.Fprintf(h.stdout, "The event is number %d of the %d that were sealed up to %s.\n", n, c.Size, c.At.Format(time.RFC3339))
	return err
}
