package stats

import "math"

// InFlight returns how many are in a system on average into which rate per
// second enter and in which each stays for seconds: J. D. C. Little, A proof for
// the queuing formula L = λW, Operations Research 9 (1961). It holds whatever the
// distributions, as long as the system is stable.
func InFlight(rate, seconds float64) float64 { return rate * seconds }

// Throughput returns how many a second leave a system in which n are all the time
// and in which each stays for seconds: Little's law, solved for the rate.
func Throughput(n, seconds float64) float64 { return n / seconds }

// Elasticity returns by what power of the number in flight the throughput grew
// between two loads: ln(x1 ÷ x0) ÷ ln(n1 ÷ n0). By Little's law the time in the
// system is n ÷ x, so that it is 1 where that time stays as it is, and 0 where a
// system is saturated: what is added in flight only waits. NaN where a figure is
// not positive or the number in flight is the same.
func Elasticity(n0, x0, n1, x1 float64) float64 {
	if n0 <= 0 || n1 <= 0 || x0 <= 0 || x1 <= 0 || n0 == n1 {
		return math.NaN()
	}
	return math.Log(x1/x0) / math.Log(n1/n0)
}
