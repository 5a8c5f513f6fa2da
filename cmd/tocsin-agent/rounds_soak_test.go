//go:build soak

package main

const rounds = 2000
