//go:build !soak

package main

const rounds = 50
