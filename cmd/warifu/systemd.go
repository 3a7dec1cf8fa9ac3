package main

import (
	"log/slog"
	"net"
	"os"
)

// tellSystemd tells systemd about the state of the service (sd_notify(3)):
// "READY=1", "STOPPING=1". It does nothing where systemd does not ask.
func tellSystemd(log *slog.Logger, state string) {
	name := os.Getenv("NOTIFY_SOCKET")
	if name == "" {
		return
	}
	conn, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: name, Net: "unixgram"}) // a leading @ is an abstract name
	if err == nil {
		_, err = conn.Write([]byte(state))
		conn.Close()
	}
	if err != nil {
		log.Warn("systemd was not told", "state", state, "error", err)
	}
}
