package capacity_test

import (
	"testing"
	"time"

	"github.com/perfctl/perfctl/internal/capacity"
)

// upTo is a target that holds a number of users and not one more.
func upTo(t *testing.T, most float64) capacity.Runner {
	return func(a capacity.Ask) (capacity.Trial, error) {
		if a.Rate != float64(int(a.Rate)) || a.Rate < 1 {
			t.Errorf("a trial of %v users", a.Rate)
		}
		x := capacity.Trial{Outcome: capacity.Held, Took: a.Length.Seconds()}
		if a.Rate > most {
			x.Outcome = capacity.Broke
		}
		return x, nil
	}
}

func TestTheNumberOfUsersIsFoundToTheUser(t *testing.T) {
	for _, most := range []float64{1, 2, 3, 7, 10, 11, 19, 20} {
		r, err := capacity.Search(capacity.Config{Start: 10, Users: true, Precision: 0.05, Trial: time.Second, MaxTime: time.Hour}, upTo(t, most))
		if err != nil || !r.Confirmed || r.Lower == nil || r.Upper == nil || *r.Lower != most || *r.Upper != most+1 {
			t.Errorf("%v users: %+v, %v", most, r.Sentence, err)
		}
	}
}

func TestManyUsersAreFoundWithinThePrecision(t *testing.T) {
	for _, most := range []float64{137, 1000, 4242, 99_000} {
		r, err := capacity.Search(capacity.Config{Start: 10, Users: true, Precision: 0.05, Trial: time.Second, MaxTime: time.Hour}, upTo(t, most))
		if err != nil || r.Lower == nil || r.Upper == nil || *r.Lower > most || *r.Upper <= most || *r.Width > 0.05 {
			t.Errorf("%v users: %+v, %v", most, r.Sentence, err)
		}
	}
	r, err := capacity.Search(capacity.Config{Start: 10, Max: 64, Users: true, Precision: 0.05, Trial: time.Second, MaxTime: time.Hour}, upTo(t, 1e6))
	if err != nil || r.End != capacity.Maximum || *r.Lower != 64 || r.Sentence != "The system holds 64 users; 64 users is the highest load that was asked for." {
		t.Errorf("%s, %v", r.Sentence, err)
	}
	r, err = capacity.Search(capacity.Config{Start: 10, Users: true, Precision: 0.05, Trial: time.Second, MaxTime: time.Hour}, upTo(t, 0))
	if err != nil || r.Lower != nil || r.End != capacity.CannotSay {
		t.Errorf("nothing holds: %s, %v", r.Sentence, err)
	}
}
