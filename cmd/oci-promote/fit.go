package main

import (
	"reflect"

	"github.com/oci-promote/oci-promote/internal/pipeline"
)

// fit takes the secrets out of a report, and cuts each text in it to the length of a line: a report is an output, and
// the runner takes no more than a mebibyte of that.
func (c *command) fit(r *pipeline.Report) { c.fitValue(reflect.ValueOf(r).Elem()) }

func (c *command) fitValue(v reflect.Value) {
	switch v.Kind() {
	case reflect.String:
		if short := c.secrets.Short(v.String()); short != v.String() {
			v.SetString(short)
		}
	case reflect.Pointer:
		if !v.IsNil() {
			c.fitValue(v.Elem())
		}
	case reflect.Slice:
		for i := range v.Len() {
			c.fitValue(v.Index(i))
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() { // a time has none
				c.fitValue(v.Field(i))
			}
		}
	}
}
