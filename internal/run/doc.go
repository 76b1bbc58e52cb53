// Package run is one run from request to summary: a Plan that was decided and checked
// before anything is opened, then Prepare, Measure and Conclude in a Session. It is
// told what to do by a Request and says how it goes to an Observer: it never sees a
// flag, a terminal or the file format of a view.
package run
