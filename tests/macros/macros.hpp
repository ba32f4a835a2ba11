// SPDX-License-Identifier: Apache-2.0
// What <windows.h>, <Arduino.h> and <X11/Xlib.h> define, in their words.
#pragma once

// <windows.h>
#define min(a, b) (((a) < (b)) ? (a) : (b))
#define max(a, b) (((a) > (b)) ? (a) : (b))
#define near
#define far
#define small char
#define hyper __int64
#define interface struct
#define pascal __stdcall
#define cdecl __cdecl
#define IN
#define OUT
#define OPTIONAL
#define CONST const
#define VOID void
#define TRUE 1
#define FALSE 0
#define ERROR 0
#define NO_ERROR 0L
#define DELETE (0x00010000L)
#define STRICT 1
#define IGNORE 0
#define RELATIVE 1
#define ABSOLUTE 2

// <Arduino.h>
#define bit(b) (1UL << (b))
#define sq(x) ((x) * (x))
#define constrain(amt, low, high) ((amt) < (low) ? (low) : ((amt) > (high) ? (high) : (amt)))
#define radians(deg) ((deg)*DEG_TO_RAD)
#define degrees(rad) ((rad)*RAD_TO_DEG)
#define lowByte(w) ((uint8_t)((w)&0xff))
#define highByte(w) ((uint8_t)((w) >> 8))
#define interrupts() sei()
#define word(...) makeWord(__VA_ARGS__)
#define PI 3.1415926535897932384626433832795
#define HIGH 0x1
#define LOW 0x0
#define INPUT 0x0
#define OUTPUT 0x1
#define CHANGE 1
#define DEFAULT 1
#define EXTERNAL 0
#define B0 0
#define B1 1

// <X11/Xlib.h>
#define Bool int
#define Status int
#define True 1
#define False 0
#define None 0L
#define Success 0
#define Always 2
