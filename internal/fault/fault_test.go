package fault_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/yinxin-trust/yinxin/internal/fault"
)

func TestKinds(t *testing.T) {
	t.Parallel()
	cause := errors.New("cause")
	err := fmt.Errorf("outer: %w", fault.Wrap(cause, fault.Conflict, "some_code", "words").WithHint("do this"))
	if fault.KindOf(err) != fault.Conflict || fault.CodeOf(err) != "some_code" || !errors.Is(err, cause) {
		t.Errorf("%v: kind %d, code %s", err, fault.KindOf(err), fault.CodeOf(err))
	}
	if fault.KindOf(cause) != fault.Internal || fault.CodeOf(cause) != "internal" || fault.KindOf(nil) != fault.Internal {
		t.Error("an error without a kind is ours")
	}
	statuses := map[fault.Kind][2]int{
		fault.Internal: {500, 1}, fault.Invalid: {400, 3}, fault.Unauthenticated: {401, 3}, fault.Forbidden: {403, 3}, fault.NotFound: {404, 3},
		fault.Conflict: {409, 3}, fault.TooLarge: {413, 3}, fault.TooMany: {429, 1}, fault.Unavailable: {503, 1},
	}
	for k, want := range statuses {
		if got := [2]int{k.HTTPStatus(), k.ExitStatus()}; got != want {
			t.Errorf("kind %d gives %v, want %v", k, got, want)
		}
	}
}

func TestHintIsACopy(t *testing.T) {
	t.Parallel()
	plain := fault.New(fault.Invalid, "c", "words")
	if hinted := plain.WithHint("hint"); plain.Hint != "" || hinted.Hint != "hint" || hinted.Message != "words" {
		t.Errorf("%+v, %+v", plain, hinted)
	}
}
