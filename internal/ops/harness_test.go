package ops_test

import (
	"errors"

	"warifu/internal/fault"
)

func asFault(err error, to **fault.Error) bool { return errors.As(err, to) }
