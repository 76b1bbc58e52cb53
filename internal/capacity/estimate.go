package capacity

import "time"

// Estimate says how long a search will take at least and at most, on targets
// that behave: with a hard limit just above the start up to a thousand times as
// high. overhead is what a trial takes beyond its length.
func Estimate(cfg Config, overhead time.Duration) (least, most time.Duration) {
	for _, times := range []float64{1.3, 7, 60, 1000} {
		limit := min(cfg.Start*times, cfg.ceiling())
		r, err := Search(cfg, func(a Ask) (Trial, error) {
			t := Trial{Outcome: Held, Took: (a.Length + overhead).Seconds()}
			if a.Rate > limit {
				t.Outcome = Broke
			}
			return t, nil
		})
		if err != nil {
			return 0, 0
		}
		took := min(time.Duration(r.Took*float64(time.Second)), cfg.MaxTime)
		if least == 0 || took < least {
			least = took
		}
		most = max(most, took)
	}
	return least.Round(time.Second), most.Round(time.Second)
}
