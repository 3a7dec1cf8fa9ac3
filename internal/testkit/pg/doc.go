// Package pg gives tests a PostgreSQL of their own: a private server for the
// test binary, started at first need and stopped when the binary ends, and an
// empty database per test. WARIFU_TEST_PG names a server to use instead: a
// postgres:// URL of a role that may create databases.
//
// Called by tests only.
package pg
