package identity

import (
	"errors"
	"fmt"
	"time"

	"github.com/yinxin-trust/yinxin/internal/fault"
)

// later is the cause of an error that passes with time.
type later struct{ after time.Duration }

func (l later) Error() string { return fmt.Sprintf("retry after %s", l.after) }

// RetryAfter is how long a caller should wait before the next try, in whole seconds of at least one, for the header of
// that name and for the sentence on the page; false when err does not say.
func RetryAfter(err error) (time.Duration, bool) {
	var l later
	if errors.As(err, &l) {
		return l.after, true
	}
	return 0, false
}

func retryLater(f *fault.Error, after time.Duration) error {
	f.Err = later{after: wholeSeconds(after)}
	return f
}

// wholeSeconds rounds up, so that whoever waits so long does not come too early.
func wholeSeconds(d time.Duration) time.Duration {
	return max(time.Second, (d + time.Second - 1).Truncate(time.Second))
}
