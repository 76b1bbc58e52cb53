package figure

import (
	"math"
	"testing"

	"github.com/perfctl/perfctl/internal/metrics"
)

func TestForms(t *testing.T) {
	for got, want := range map[string]string{
		Share(1 - 0.98):                   "2%",
		Share(0.85):                       "85%",
		Rough(0.01234, metrics.UnitRatio): "1.2%",
		Points(0.0025):                    "0.25 pp",
		SignedPoints(-0.0025):             "-0.25 pp",
		SignedShare(0.1234):               "+12.3%",
		Whole(12345.4):                    "12,345",
		Whole(math.NaN()):                 "–",
		Times(1.25):                       "1.2 times",
		Times(1234):                       "1,234 times",
		Moment(74.6):                      "75 s",
		MomentTenths(74.64):               "74.6 s",
		WholeMillis(120.4):                "120 ms",
		Length(3):                         "3 s",
		Length(9.96):                      "10 s",
		Length(200):                       "3 min 20 s",
		Length(11400):                     "3 h 10 min",
		Length(12 * 86400):                "12 days",
		Seconds(10):                       "10s",
		Seconds(12.5):                     "12.5s",
		Seconds(930):                      "15m30s",
		Seconds(7200):                     "2h",
		Seconds(120):                      "2m",
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
