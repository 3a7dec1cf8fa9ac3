package pg_test

import (
	"os/exec"
	"strings"
	"testing"

	"warifu/internal/testkit/pg"
)

// Two databases of one server are two databases.
func TestDSN(t *testing.T) {
	a, b := pg.DSN(t), pg.DSN(t)
	if a == b {
		t.Fatalf("both are %s", a)
	}
	query := func(dsn, sql string) string {
		t.Helper()
		out, err := exec.Command("psql", "-X", "-A", "-t", "-d", dsn, "-c", sql).CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v\n%s", sql, err, out)
		}
		return strings.TrimSpace(string(out))
	}
	query(a, "CREATE TABLE here (x int)")
	if n := query(b, "SELECT count(*) FROM pg_tables WHERE tablename = 'here'"); n != "0" {
		t.Errorf("a table of one database is in the other")
	}
}
