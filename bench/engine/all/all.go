// Package all registers every engine.
package all

import (
	_ "perfbench/engine/casbin"
	_ "perfbench/engine/cedar"
	_ "perfbench/engine/naive"
	_ "perfbench/engine/opa"
	_ "perfbench/engine/warifu"
)
