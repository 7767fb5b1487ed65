package hsm

import (
	"context"
	"fmt"

	"github.com/yinxin-trust/yinxin/internal/fault"
)

// KeyRequest is one key or secret to be made.
type KeyRequest struct {
	Ref    Ref
	Policy Policy
}

// BatchGenerator is a Provider that can make many keys and secrets as one act: all or none.
// One ref that exists, or occurs twice, is a Conflict for the whole batch.
type BatchGenerator interface {
	GenerateKeys(ctx context.Context, requests []KeyRequest) error
}

// Inventory is a Provider that can say what it keeps, for the register of keys that an assessment (GB/T 39786) asks for.
type Inventory interface {
	Refs(ctx context.Context) ([]Ref, error) // in ascending order
	Policy(ctx context.Context, ref Ref) (Policy, error)
}

// Ensure makes those of the requested keys and secrets that p does not have yet, as one batch where p is a
// BatchGenerator. A name that already stands for another
// algorithm is refused, and then nothing is made.
func Ensure(ctx context.Context, p Provider, requests []KeyRequest) error {
	var missing []KeyRequest
	for _, r := range requests {
		have, err := algorithmOf(ctx, p, r)
		switch {
		case fault.KindOf(err) == fault.NotFound && err != nil:
			missing = append(missing, r)
		case err != nil:
			return err
		case have != r.Policy.Algorithm:
			return fault.Wrap(fmt.Errorf("ref %q has %s, wanted %s", string(r.Ref), have, r.Policy.Algorithm),
				fault.Conflict, CodeKeyExists, "a key of this name exists with another algorithm")
		}
	}
	if len(missing) == 0 {
		return nil
	}
	if batch, ok := p.(BatchGenerator); ok {
		return batch.GenerateKeys(ctx, missing)
	}
	for _, r := range missing {
		var err error
		if r.Policy.Algorithm.Seals() {
			_, err = p.GenerateSecret(ctx, r.Ref, r.Policy)
		} else {
			_, err = p.GenerateKey(ctx, r.Ref, r.Policy)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func algorithmOf(ctx context.Context, p Provider, r KeyRequest) (Algorithm, error) {
	if err := r.Policy.Check(); err != nil {
		return "", err
	}
	if r.Policy.Algorithm.Seals() {
		_, err := p.Secret(ctx, r.Ref)
		return SM4, err
	}
	k, err := p.Key(ctx, r.Ref)
	if err != nil {
		return "", err
	}
	return k.Algorithm(), nil
}
