package license

import (
	"time"

	"github.com/yinxin-trust/yinxin/internal/fault"
)

// HandleLife is how long a handle may wait in an offline wallet.
const HandleLife = 24 * time.Hour

// The times of dynamic codes where the policy names none.
const (
	DefaultCodeLife    = 60 * time.Second
	DefaultSkewWarning = 30 * time.Second
	DefaultSkewLimit   = 300 * time.Second
)

// Policy is what a province decides about codes; what is zero has its default.
type Policy struct {
	CodeLife    time.Duration // how long a dynamic code is accepted after the time in it
	SkewWarning time.Duration // a code from further in the future than this is worth a word
	SkewLimit   time.Duration // and from further than this is refused
}

// complete fills in the defaults and refuses what contradicts itself.
func (p Policy) complete() (Policy, error) {
	for _, v := range []struct {
		value    *time.Duration
		standard time.Duration
	}{{&p.CodeLife, DefaultCodeLife}, {&p.SkewWarning, DefaultSkewWarning}, {&p.SkewLimit, DefaultSkewLimit}} {
		if *v.value == 0 {
			*v.value = v.standard
		}
	}
	if p.CodeLife < time.Second || p.CodeLife > HandleLife || p.SkewWarning < 0 || p.SkewLimit < p.SkewWarning || p.SkewLimit > HandleLife {
		return p, fault.New(fault.Invalid, "license_config", "a code lives from a second to a day, and is warned of before it is refused, within a day")
	}
	return p, nil
}
