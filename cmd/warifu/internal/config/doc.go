// Package config knows every setting of the server: its name, its default, what
// it may be, and where its value came from.
//
// A setting has one name in four places: key in the file (log.level), variable
// of the environment (WARIFU_LOG_LEVEL), flag (--log-level) and the table in
// settings.go. Later sources win: defaults, file, environment, flags. Whatever
// names no setting is an error, in the file with its line and column, because a
// misspelt security setting must not be ignored.
//
// The package reads the file and the files that hold secrets; it opens nothing
// else. cmd/warifu calls it.
package config
