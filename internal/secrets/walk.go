package secrets

import "reflect"

// Struct hides secrets in every text that v, a pointer, leads to.
func (r *Redactor) Struct(v any) { r.walk(reflect.ValueOf(v)) }

func (r *Redactor) walk(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			r.walk(v.Elem())
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				r.walk(v.Field(i))
			}
		}
	case reflect.Slice, reflect.Array:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			if v.Kind() == reflect.Slice && v.CanSet() && v.Len() > 0 { // encoded JSON
				v.SetBytes([]byte(r.Text(string(v.Bytes()))))
			}
			return
		}
		for i := range v.Len() {
			r.walk(v.Index(i))
		}
	case reflect.Map:
		for _, k := range v.MapKeys() {
			item := reflect.New(v.Type().Elem()).Elem()
			item.Set(v.MapIndex(k))
			r.walk(item)
			v.SetMapIndex(k, item)
		}
	case reflect.String:
		if v.CanSet() {
			v.SetString(r.Text(v.String()))
		}
	}
}
