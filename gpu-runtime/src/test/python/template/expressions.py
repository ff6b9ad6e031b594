"""Writes expressions.json: small templates with the answer of Python's jinja2, or null where it raises.

Run: python3 expressions.py > ../../resources/dev/stator/model/text/template/expressions.json
"""

import json

from huggingface import render

VARIABLES = {
    "s": "Hello, World",
    "u": "héllo wörld 你好 🎉🎊 end",
    "pad": "  \t padded \n ",
    "lines": "one\ntwo\r\nthree\n\nfive",
    "n": 7,
    "neg": -3,
    "big": 12345678901234567890,
    "f": 2.5,
    "tiny": 1e-7,
    "huge": 1e22,
    "yes": True,
    "no": False,
    "nil": None,
    "empty": "",
    "nothing": [],
    "xs": [3, 1, 2],
    "words": ["banana", "Apple", "cherry", "apple"],
    "mixed": [1, "a", None, 2.0, True, [1], {"k": "v"}],
    "d": {"b": 2, "a": 1, "C": 3},
    "deep": {"l1": {"l2": [{"x": 1}, {"x": 2}]}, "items": "shadowed", "key with space": 1, "name": "it's \"q\""},
    "users": [
        {"name": "ann", "age": 31, "tags": ["x"], "ok": True},
        {"name": "Bob", "age": 25, "tags": [], "ok": False},
        {"name": "cat", "age": 31, "tags": ["y", "z"]},
    ],
    "tree": [{"v": 1, "c": [{"v": 2, "c": []}, {"v": 3, "c": [{"v": 4, "c": []}]}]}],
}

EXPRESSIONS = r"""
1 + 2 * 3
(1 + 2) * 3
2 ** 3 ** 2
-2 ** 2
2 ** -1
2 ** 0.5
7 // 2
-7 // 2
7 // -2
7 % 3
-7 % 3
7 % -3
7.5 // 2
-7.5 // 2
7.5 % 2
-7.5 % 2
7.5 % -2
1 / 2
4 / 2
1 / 0
1 // 0
1 % 0
1.0 / 0
0 ** 0
0 ** -1
1e3
1E-5
1.5e300 * 1e10
1e308 * 10
-1e308 * 10
1e308 * 10 - 1e308 * 10
0.1 + 0.2
1e16
1e15
123456789012345680.0
0.0001
0.00001
1/3
100.0
5e-324
2.0 ** 70
1.7976931348623157e308
9007199254740993 / 1
9007199254740993 / 3
big
big + 1
big * big
big // 7
big % 1000
-big // 7
big / 3
2 ** 64
2 ** 63
2 ** 62 * 2
9223372036854775807 + 1
-9223372036854775808 - 1
9223372036854775807 * 2
-(-9223372036854775808)
10 ** 30
1_000
0x1F
0b101
0o17
1_0.5
00
1e400
+5
-n
+f
-f
- - n
-true
+true
not 1
not not 1
true + true
true * 3
false == 0
1 == 1.0
1 == true
'1' == 1
none == false
none == none
[1, 2] == [1, 2]
[1, 2] == (1, 2)
(1, 2) == (1, 2.0)
{'a': 1} == {'a': 1.0}
{'a': 1, 'b': 2} == {'b': 2, 'a': 1}
'a' < 'b'
'a' < 'B'
'a' < 1
1 < 2.5
none < 1
[1, 2] < [1, 3]
[1, 'a'] < [1, 2]
[1] < [1, 0]
(1, 2) >= (1, 2)
{} < {}
1 < 2 < 3
1 < 3 < 2
3 > 2 > 1
1 < 2 > 1
1 == 1 != 2
1 < n <= 7
'x' in 'xyz'
'' in ''
1 in 'abc'
'a' in ['a']
1 in [1.0]
true in [1]
'a' in {'a': 1}
'a' not in {'a': 1}
not 'a' in {'a': 1}
[1] in [[1]]
1 in 5
1 in none
none in [none]
[1] in {'a': 1}
1 in range(3)
5 in range(3)
'a' in missing
missing in ['a']
'e' in s and 'z' not in s
1 and 2
0 and 2
0 or 'x'
'' or none
none or missing
1 or missing.foo
0 and missing.foo
1 if true else 2
1 if false else 2
1 if false
'a' if no else 'b' if no else 'c'
(1 if no) is defined
1 ~ 2
'a' ~ none ~ true ~ 1.0 ~ [1] ~ missing
'a' ~ 1 + 2
1 + 2 ~ 3
'a' ~ 'b' * 2
2 * 'ab'
'ab' * 0
'ab' * -1
[1] * 2
(1,) * 2
'a' + 1
'a' + 'b'
[1] + [2]
(1,) + (2,)
[1] + (2,)
'a' - 'b'
{} + {}
none + 1
[1, 2, 3][0]
[1, 2, 3][-1]
[1, 2, 3][5]
[1, 2, 3][5] is defined
[1, 2, 3]['a']
[1, 2, 3][1.0]
[1, 2, 3][true]
'abc'[1]
'abc'[-1]
'abc'[10]
u[12]
u[13]
u[12:14]
u[::-1]
u[::2]
u[-5:]
u[:-4]
s[1:4]
s[:5]
s[-5:]
s[::-1]
s[::2]
s[5:1:-1]
s[100:]
s[-100:3]
s[3:1]
s[::0]
s[none:none]
s['a':]
s[1:2.0]
s[true:]
xs[::-1]
xs[1:]
xs[:-1]
xs[-2:]
xs[::-2]
xs[0:100]
xs[5:0:-1]
xs[-100:100:2]
(1, 2, 3)[1:]
(1, 2, 3)[::-1]
range(10)[2:8:2]
range(10)[::-1]
range(10)[3]
range(10)[-1]
range(5)
range(2, 5)
range(0, 10, 3)
range(10, 0, -3)|list
range(5, 2)|list
range(1, 2, 0)
range(200000)
range('a')
range(1.0)
range()
missing[1:]
d[1:]
d.a
d['a']
d.zzz
d.zzz is defined
d.zzz.y
d['zzz']
d[1]
d[[1]]
d.get('a')
d.get('q')
d.get('q', 5)
d.get()
d.get('a', 'b', 'c')
d.keys()
d.values()
d.items()
d.keys()|list
d.items()|list
d.items()[0]
d.items()|length
d|items|list
d|items
d.pop
d.pop('a')
d.update({})
d.clear
d.copy()
d.copy is defined
d.pop is defined
d.nokey is undefined
deep.items
deep['items']
deep.l1.l2[0].x
deep.l1.l2.0.x
deep['l1']['l2'][1]['x']
deep.l1.l2[5].x
deep.l1.nope.x
deep['key with space']
deep.name
deep
deep.__class__
s.__class__
s.upper
s.nope
s.nope is defined
s.nope()
n.foo
nil.foo
nil.foo.bar
nil['a']
xs.append(1)
xs.append
xs.count(1)
xs.index(2)
xs.index(9)
xs.copy()
xs.sort()
xs.nope
(1, 2, 2).count(2)
(1, 2).index(2)
(1, 2).append
missing
missing.foo
missing['foo']
missing()
missing + 1
1 + missing
'a' + missing
missing * 2
missing == missing
missing == none
missing != none
missing == ''
missing < 1
1 < missing
-missing
not missing
missing ~ 'x'
missing is defined
missing is undefined
missing is none
missing is string
missing is mapping
missing is iterable
missing is sequence
missing is number
missing is callable
missing|length
missing|list
missing|first
missing|last
missing|join(',')
missing|upper
missing|trim
missing|string
missing|int
missing|float
missing|default('dflt')
missing|default
missing|d('dflt')
missing|tojson
missing|items|list
missing|map('upper')|list
missing|select|list
missing|sort
missing|reverse|list
missing|replace('a', 'b')
missing|abs
missing|round
missing|sum
missing|min
missing|unique|list
missing|batch(2)|list
missing|indent
missing|title
missing|capitalize
missing|e
missing|dictsort
missing|wordcount
missing|center(5)
missing|format
missing|attr('x')
missing.foo|default('x')
missing|default('x')|upper
none|default('x')
none|default('x', true)
''|default('x', true)
''|default('x', boolean=true)
0|default(5, true)
n is defined
n is not defined
not n is defined
nil is none
nil is not none
n is number
n is integer
f is integer
f is float
f is number
yes is number
yes is integer
yes is boolean
n is boolean
yes is true
yes is false
no is false
1 is true
s is string
n is string
xs is string
xs is sequence
xs is iterable
s is iterable
s is sequence
d is sequence
d is iterable
d is mapping
xs is mapping
n is iterable
nil is iterable
range(3) is sequence
d.items() is sequence
d.items() is iterable
d|items is iterable
d|items is sequence
(xs|map('string')) is sequence
n is odd
n is even
n is divisibleby 7
n is divisibleby(2)
n is divisibleby 0
f is odd
s is odd
s is lower
'abc' is lower
'ABC' is upper
'' is lower
n is lower
n is callable
s.upper is callable
range is callable
n is eq 7
n is equalto(7)
n is == 7
n is ne 7
n is gt 5
n is greaterthan 5
n is ge 7
n is lt 5
n is le 7
n is lessthan 8
n is in [7]
n is in(xs)
n is not in [7]
n is sameas 7
none is sameas none
'upper' is filter
'nope' is filter
'odd' is test
'nope' is test
n is nope
n is escaped
n is defined and n is odd
n is odd or missing is defined
n is not odd
n is string if yes
s|upper
s|lower
s|title
s|capitalize
'hello-world foo(bar) [baz] <qux> it\'s'|title
"hello world's fox"|title
''|title
''|capitalize
'ßa'|capitalize
'ß'|upper
'ŉ'|title
'ǆ'|title
'İ'|lower
'ΑΣ'|lower
pad|trim
pad|trim|length
'xxaxx'|trim('x')
'xyaxy'|trim('yx')
pad|trim(none)
s|length
u|length
xs|length
d|length
n|length
nil|length
s|count
s|first
s|last
u|last
xs|first
xs|last
nothing|first
nothing|last
d|first
d|last
n|first
n|last
range(3)|last
(xs|map('string'))|last
s|reverse
u|reverse
xs|reverse
xs|reverse|list
d|reverse|list
(xs|map('string'))|reverse
n|reverse
xs|join
xs|join(', ')
xs|join('-')|upper
s|join('.')
d|join(',')
words|join(d='|')
users|join(', ', attribute='name')
users|join(', ', 'age')
n|join
mixed|join(' ')
xs|join(1)
xs|list
s|list
u|list
d|list
n|list
none|list
xs|sort
xs|sort(reverse=true)
words|sort
words|sort(case_sensitive=true)
words|sort(true)
users|sort(attribute='age')|map(attribute='name')|join(',')
users|sort(attribute='age,name')|map(attribute='name')|join(',')
users|sort(attribute='name', reverse=true)|map(attribute='name')|join(',')
mixed|sort
[none, none]|sort
[none, 1]|sort
[[2, 1], [1, 2]]|sort
d|sort
d|dictsort
d|dictsort(true)
d|dictsort(by='value')
d|dictsort(false, 'value', true)
d|dictsort(by='nope')
xs|dictsort
xs|min
xs|max
words|min
words|max
words|max(case_sensitive=true)
nothing|min
users|max(attribute='age')
users|min(attribute='age')|tojson
[1, 'a']|min
xs|sum
[0.1] * 3|sum
([0.1] * 3)|sum
users|sum(attribute='age')
xs|sum(start=10)
[[1], [2]]|sum(start=[])
['a', 'b']|sum
['a']|sum(start='')
[true, true]|sum
words|unique|list
words|unique(true)|list
users|unique(attribute='age')|map(attribute='name')|list
[1, 1.0, true, '1']|unique|list
[[1], [1]]|unique|list
words|map('upper')|list
words|map('upper')|join(',')
users|map(attribute='name')|list
users|map(attribute='ok')|list
users|map(attribute='ok', default='?')|list
users|map(attribute='tags.0')|list
users|map(attribute='tags.0', default='-')|list
users|map('attr', 'name')|list
xs|map('string')|list
xs|map('nope')|list
xs|map|list
xs|map('default', 5)|list
xs|map(attribute='a', foo=1)|list
['a', 'b']|map('replace', 'a', 'c')|list
xs|map('round', method='ceil')|list
xs|select('odd')|list
xs|reject('odd')|list
xs|select|list
mixed|select|list
mixed|reject|list
mixed|select('string')|list
mixed|select('none')|list
xs|select('greaterthan', 1)|list
xs|select('gt', 1)|list
xs|select('>', 1)|list
xs|select('in', [1, 2])|list
xs|select('nope')|list
xs|select('nope')
words|reject('equalto', 'Apple')|join(', ')
users|selectattr('ok')|map(attribute='name')|list
users|rejectattr('ok')|map(attribute='name')|list
users|selectattr('age', 'equalto', 31)|map(attribute='name')|list
users|selectattr('age', 'gt', 30)|list|length
users|selectattr('ok', 'defined')|map(attribute='name')|list
users|selectattr('nope.x')|list
users|selectattr()|list
users|rejectattr('age', '==', 31)|list
xs|select('odd')|length
(xs|select('odd')|list)[0]
(xs|select('odd'))[0]
users|groupby('age')|length
users|groupby('age')|map('first')|list
users|groupby('age')|map(attribute='grouper')|list
users|groupby('age')|map(attribute='list')|map('length')|list
users|groupby('ok', default=false)|map('first')|list
users|groupby('ok')|list
xs|batch(2)|list
xs|batch(2, 'x')|list
xs|batch(0)|list
xs|slice(2)|list
xs|slice(2, 'x')|list
xs|slice(5)|list
xs|slice(0)|list
s|replace('o', '0')
s|replace('o', '0', 1)
s|replace('', '-')
s|replace('', '-', 3)
u|replace('', '.')
s|replace('zzz', '-')
n|replace(7, 8)
s|replace('o', none)
s|replace('o', '0', none)
s|replace('o', '0', -1)
s|replace('o', '0', 0)
s|replace('o')
n|string
f|string
nil|string
yes|string
xs|string
d|string
n|string|length
'42'|int
' 42 '|int
'4_2'|int
'-42'|int
'+42'|int
'42.7'|int
'1e3'|int
'abc'|int
'abc'|int(5)
'abc'|int(default=none)
''|int
'0x1f'|int
'0x1f'|int(0, 16)
'1f'|int(base=16)
'0b11'|int(0, 2)
'z'|int(0, 36)
'0x10'|int(0, 0)
'010'|int
'010'|int(7, 0)
3.9|int
-3.9|int
true|int
none|int
none|int(3)
xs|int
1e20|int
1e400|int
'inf'|int
'nan'|int
'12345678901234567890123'|int
'3.5'|float
'abc'|float
'abc'|float(1)
' 1e3 '|float
'inf'|float
'-Infinity'|float
'nan'|float
'1_0.5'|float
'.5'|float
'5.'|float
'1e'|float
n|float
true|float
none|float
xs|float(2)
big|float
neg|abs
-2.5|abs
true|abs
s|abs
42.55|round
42.55|round(1)
42.5|round
43.5|round
2.675|round(2)
0.5|round
-0.5|round
1.5|round
2.5|round(0, 'ceil')
42.55|round(1, 'floor')
42.55|round(1, 'ceil')
42|round
42|round(1)
1234|round(-2)
1250|round(-2)
1234.5|round(-2)
42|round(0, 'floor')
42.5|round(method='nope')
s|round
true|round
2.5|round|int
1e300|round(2)
123456.789|round(400)
123456.789|round(-400)
-1.4|round
'a%sb'|format('x')
'%s-%s'|format(1, none)
'%d'|format(3.99)
'%5d|%-5d|%05d|%+d'|format(42, 42, 42, 42)
'%.2f'|format(3.14159)
'%8.3f|%-8.3f|%08.3f'|format(3.14159, 3.14159, -3.14159)
'%e %E'|format(12345.678, 0.00012)
'%g %g %g %g'|format(1e10, 0.0001, 123456789, 0.00001)
'%g %g %g'|format(100, 1.5, 0)
'%.3g|%#g'|format(1234.5, 1.5)
'%x %X %o'|format(255, 255, 8)
'%#x %#o'|format(255, 8)
'%c%c'|format('a', 98)
'%r %r'|format('a', 1)
'%%'|format()
'%s'|format()
'%s'|format(1, 2)
'%(a)s-%(b)d'|format(a='x', b=3)
'%d'|format('x')
'%s %s' % (1, 2)
'%s' % 5
'%s' % [1, 2]
'%s' % (1, 2)
'%(a)s' % d
'%(zz)s' % d
'abc' % []
'abc' % 5
'abc' % missing
'%5s|%-5s|%.2s' % ('ab', 'ab', 'abcdef')
'%*d' % (5, 42)
'%i' % true
'%s' % missing
'%d' % missing
'%z' % 1
'%' % 1
'%.10f' % 0.1
'%.0f' % 0.5
'%.0f' % 1.5
'%5.1f%%' % 12.345
'% d' % 5
'%+.1e' % 12345
5 % 'a'
'{} {}'.format(1, 'a')
'{0} {1} {0}'.format('x', 'y')
'{name}'.format(name='z')
'{a[k]} {b.a}'.format(a={'k': 1}, b=d)
'{:>5}|{:<5}|{:^5}|{:*^7}'.format('a', 'b', 'c', 'd')
'{:05d} {:+d} {:,} {:x} {:#x} {:b}'.format(42, 42, 1234567, 255, 255, 5)
'{:.2f} {:8.3f} {:.1%} {:e} {:g}'.format(3.14159, 3.14159, 0.256, 12345.678, 0.0001)
'{!r} {!s}'.format('a', 'b')
'{:.3}'.format('abcdef')
'{{}} {}'.format(1)
'{}'.format()
'{'.format()
'}'.format()
'{} {0}'.format(1)
'{:{}}|'.format('a', 4)
'{x}'.format_map({'x': 1})
'{:d}'.format('a')
'{}'.format(none)
'{:5}'.format(none)
'{:5}|{:5}'.format(1, 'a')
'{}'.format([1, 'a'])
'{:.2}'.format(3.14159)
'{:_}'.format(1234567)
s.upper()
s.lower()
s.title()
"it's o'neil".title()
s.capitalize()
s.swapcase()
s.casefold()
pad.strip()
pad.lstrip()
pad.rstrip()
'xxaxx'.strip('x')
'xxaxx'.lstrip('x')
'xxaxx'.rstrip('x')
'a\u00a0\u3000'.strip()
s.strip(1)
s.split()
s.split(',')
s.split(', ')
s.split('o')
s.split('o', 1)
s.split(sep='o', maxsplit=1)
s.split('')
s.split('zzz')
''.split()
''.split(',')
' a  b c '.split()
' a  b c '.split(none, 1)
' a  b c '.split(' ')
' a  b c '.rsplit(none, 1)
'a,b,c'.rsplit(',', 1)
'a,b,c'.rsplit(',')
'aaaa'.split('aa')
'aaaaa'.rsplit('aa')
lines.splitlines()
lines.splitlines(true)
'a\x0bb\u2028c\x85d'.splitlines()
s.partition(', ')
s.partition('zz')
s.rpartition('o')
s.rpartition('zz')
s.startswith('Hello')
s.startswith(('x', 'H'))
s.startswith('World', 7)
s.startswith('', 100)
s.endswith('World')
s.endswith(('x', 'd'))
s.endswith('Hello', 0, 5)
s.startswith(1)
s.startswith(['H'])
s.find('o')
s.find('o', 5)
s.find('o', 5, 6)
s.find('zz')
s.find('')
s.find('', 100)
s.rfind('o')
s.rfind('o', 0, 6)
u.find('🎊')
u.find('end')
u.rfind('l')
s.index('W')
s.index('zz')
s.rindex('o')
s.count('o')
s.count('')
s.count('l', 3)
'aaaa'.count('aa')
s.replace('o', '0')
s.replace('o', '0', 1)
s.replace('', '-')
s.replace('o')
s.replace(1, 2)
','.join(words)
','.join(xs)
','.join('abc')
''.join([])
','.join(5)
'ab'.center(7)
'ab'.center(8, '*')
'abc'.center(8, '*')
'ab'.ljust(5) ~ '|'
'ab'.rjust(5, '.')
'ab'.center(5, 'xx')
'42'.zfill(5)
'-42'.zfill(5)
'a\tb'.expandtabs()
'a\tb'.expandtabs(4)
'abc'.removeprefix('a')
'abc'.removesuffix('c')
'abc'.removesuffix('x')
'abc'.isalpha()
'123'.isdigit()
'12²'.isdigit()
'12²'.isdecimal()
'½'.isnumeric()
'ab1'.isalnum()
' \t'.isspace()
''.isspace()
'abc'.islower()
'ABC1'.isupper()
'Hello World'.istitle()
'Hello world'.istitle()
'abc'.isascii()
'é'.isascii()
'a_1'.isidentifier()
'1a'.isidentifier()
'a\n'.isprintable()
s.upper().lower().title()
s.upper(1)
s.strip('H', 'd')
s|center(20)
s|center(20)|length
s|indent
lines|indent
lines|indent(2)
lines|indent(2, true)
lines|indent(2, true, true)
lines|indent('>> ')
lines|indent(width=1, blank=true)
''|indent
'a\n'|indent(2)
n|indent
s|truncate(5)
s|truncate(5, true)
s|truncate(9, false, '~', 0)
s|truncate(9, leeway=0)
s|truncate(2)
s|wordcount
u|wordcount
'<a & "b" \'c\'>'|e
'<a>'|escape
'<a>'|safe
'<a>'|forceescape
n|tojson
f|tojson
s|tojson
u|tojson
nil|tojson
yes|tojson
xs|tojson
d|tojson
deep|tojson
mixed|tojson
deep|tojson(indent=2)
deep|tojson(indent=0)
deep|tojson(indent='\t')
deep|tojson(indent=none)
[]|tojson(indent=2)
{}|tojson(indent=2)
[[], {}]|tojson(indent=2)
d|tojson(sort_keys=true)
d|tojson(separators=(',', ':'))
d|tojson(separators=[',', ':'], indent=1)
u|tojson(ensure_ascii=true)
u|tojson(true)
'a"b\\c\n\t\r\x08\x0c\x00\x1f\x7f/'|tojson
{1: 'a', 1.5: 'b', none: 'c', true: 'd'}|tojson
{(1, 2): 'a'}|tojson
(1, 2)|tojson
range(3)|tojson
d.items()|tojson
(xs|map('string'))|tojson
huge|tojson
tiny|tojson
1e400|tojson
[1.0, 1e16, 1e-5]|tojson
big|tojson
namespace(a=1)|tojson
d|tojson(indent=true)
d|tojson|length
xs|tojson ~ s|tojson
[1, 'a', none, true, 1.5]
(1,)
()
(1, 2)
{'a': 1, 2: [3], none: (4,)}
{}
[]
[[], {}, ()]
['it\'s', "q\"q", 'both\'"', 'n\n', 't\t', 'b\\', 'é', '\x00', '\u200b', '\ud7ff', '🎉', '\x7f', '\xa0', '\u2028']
{'a': {'b': {'c': []}}}
{'a': 1, 'a': 2}
{1: 'a', true: 'b', 1.0: 'c'}
{[1]: 2}
{(1, 2): 3}
{(1, 2): 3}[(1, 2)]
{(1, 2): 3}[1, 2]
{1: 'a'}[1.0]
{none: 1}[none]
[1, 2,]
(1, 2,)
{'a': 1,}
[missing]
{'a': missing}
'a' 'b' "c"
'tab\there'
"nl\nhere"
'\x41\u0042\U00000043\103'
'\N{BULLET}'
'\q\é'
'\
'
'\x4'
'unterminated
"a" ~ 'b'
1 2
a b
1 +
* 2
(1
1)
[1
{1}
{1: 2
{{1}}
d.
d..a
.a
d.1.2
xs.0
xs.-1
@
!
1 ! 2
a.b.c
s|
s|nope
s|upper()
s|upper(1)
s|upper|lower|title
s|replace('o', s|length)
(s|replace)('o', 'x')
s|upper is upper
s|length > 5
s|length + 1
-xs|length
xs|length * 2
not xs|length
xs|first ~ '!'
n is odd ~ 'x'
2 * n|string
'a'|upper ~ 'b'|upper
[1, 2]|first + 3
d.a + d['b'] * d.C
users[0].name|upper
users[0]['tags'][0]
users[-1].tags|join('+')
users|length == 3 and users[0].ok
(users|map(attribute='age')|list)[1:]
users|map(attribute='name')|map('upper')|join
users|selectattr('tags')|map(attribute='tags')|map('join', '/')|list
s.split(', ')[-1].lower()[::-1]
'</think>' in '<think>x</think>y'
'<think>x</think>y'.split('</think>')[-1].lstrip('\n')
'<think>x</think>y'.split('</think>')[0].rstrip('\n').split('<think>')[-1]
dict(a=1)
dict(a=1, **{'b': 2})
dict([('a', 1)])
dict(d, z=9)
dict([1])
dict(1)
namespace(a=1)
namespace(a=1).a
namespace(a=1).b
namespace(a=1)['a']
namespace(d).a
namespace() is mapping
namespace(a=1) is iterable
cycler('a', 'b').next()
cycler('a', 'b').current
cycler()
joiner(',')()
range(*[1, 4])|list
range(*(1, 10), 3)
dict(**d)
dict(**1)
dict(a=1, a=2)
s.replace(*['o', '0'])
s.upper(*missing)
f(1)
s()
n()
xs()
d()
none()
raise_exception('no')
strftime_now('%d %b %Y')
strftime_now('%Y-%m-%d %H:%M:%S %A %a %B %j %p %I %y %U %W %w %u %e %-d %-m %F %T %D %R %% %G %V %C %h %n%t|')
strftime_now('%-H:%-M %P %k %l %s'|replace('%s', ''))
strftime_now()
bos_token
eos_token ~ bos_token
messages
tools
tools is defined
tools is none
add_generation_prompt
documents
unk_token is defined
True and False
None
TRUE
true.foo
1.foo
1.5.foo
'a'.b
'a'['b']
('a', 'b')[0]
(1)
((1))
(1, (2, 3))[1][0]
[x for x in xs]
lambda: 1
1 if
if
else
not
in xs
1 in
is defined
n is
n is not
1 is 1
a = 1
a := 1
1; 2
s[
s[1
s[1:
s[1:2:3:4]
s[]
s[1, 2]
xs[1:2, 3]
'a' if s else
d.keys
d.items
s.format
""
''
s|attr('upper')
d|attr('a')
d|attr('keys')
d|attr('pop')
users|attr('x')
xs|attr('count')
big|string|length
2 ** 10000
10 ** 5000
9 ** 9 ** 9
loop
loop.index
caller
varargs
super()
x.y is defined
missing.y is defined
d.missing.y is defined
d.missing.y|default('x')
d.missing|default(d.a)
(missing or {}).foo is defined
(d.zz or {}).get('a', 'none')
not missing is defined
missing is not defined or missing.foo
missing is defined and missing.foo
nil is not none and nil.foo
'yes' if d.a is defined and d.a else 'no'
'yes' if d.zz is defined else 'no'
'a' is in 'abc'
'a' is string and 'b' is string
n is number and n > 5 and n < 10
5 > 3 and not 2 > 3
1 + 1 == 2 and 2 * 2 == 4
'a' ~ ('b' if yes else 'c')
'a' + ('b' if no else 'c') + 'd'
xs|sort|first
xs|sort|reverse|first
xs|sort(reverse=true)|first
xs|map('string')|map('length')|sum
words|map('first')|join
words|map('length')|max
words|select('string')|map('lower')|unique|sort|join(' ')
words|map('lower')|sort|list
d|dictsort|map('first')|list
d|dictsort|map('last')|sum
d|items|map('first')|sort|list
d.items()|map('last')|sum
d.items()|sort
d.values()|sum
d.values()|list|sort
d.keys()|join
'a' in d.keys()
3 in d.values()
('a', 1) in d.items()
d.keys() == d.keys()
d|length == d.keys()|length
d|list|sort
d|string|length
'%s' % d
'{}'.format(d)
d ~ ''
none ~ ''
1e5
1e5|int
1.10
100000000000000000000.0
123456789.123456789
-0.0
0.0 == -0.0
1e-10
5 // 0.3
5 % 0.3
-5 // 0.3
2 ** 0.5 * 2 ** 0.5
1 // 1.0
0.1 * 3
1.1 + 2.2
1e100
1.0e-4
3.0 * 2
6.0 / 2
7 / 7
10 / 4
2.0 == 2
'10' < '9'
10 < 9
'é' > 'z'
'🎉' > '\uffff'
[1, [2, 3]] == [1, [2, 3]]
[] == ()
'' == missing
none is none and none == none
xs == [3, 1, 2]
users[0] == users[0]
users[0] == users[1]
users[0] in users
users.index(users[1])
xs != xs
{'a': [1]} == {'a': [1]}
true == 1.0
'a' == 'a' == 'a'
1 < 2 == true
(1 < 2) == true
n // 2 * 2 + n % 2 == n
u|int(words, none)
'12'|int(0, 'x')
{}|sort('upper')
xs|sort(1)
xs|sort(none)
xs|truncate
xs|truncate(0, end='', leeway=0)
n|truncate
xs|batch(2.0)|list
xs|batch('a')|list
xs|batch('a', 'b')|list
xs|batch('a', 'b')
xs|slice('a')|length
range(7)[-2:-100:2]
range(7)[5:1:-1]
range(3).count(1)
range(3).index(2)
range(3).stop
{range(3): 1}[range(0, 3)]
2.5|round(none)
3.5|round(none)
7|round(none)
d.keys() == {'b': 1, 'a': 2, 'C': 3}.keys()
d.items() == d.items()
d.values() == d.values()
""".strip("\n")


def expressions():
    """One a line, but for the string that holds a line's end."""
    joined = EXPRESSIONS.replace("'\\\n'", "'\\\x00'")
    return [line.replace("\x00", "\n") for line in joined.split("\n") if line]


STATEMENTS = [
    "{% set x = 1 %}{{ x }}",
    "{% set x, y = 1, 2 %}{{ x }}{{ y }}",
    "{% set (x, y) = [1, 2] %}{{ x }}{{ y }}",
    "{% set x, (y, z) = 1, (2, 3) %}{{ x }}{{ y }}{{ z }}",
    "{% set x, y = 1 %}",
    "{% set x, y = [1] %}",
    "{% set x, y = [1, 2, 3] %}",
    "{% set x, y = 'ab' %}{{ y }}{{ x }}",
    "{% set x, = [1] %}{{ x }}",
    "{% set x = 1, 2 %}{{ x }}",
    "{% set x = %}",
    "{% set 1 = 2 %}",
    "{% set true = 2 %}",
    "{% set x.y = 2 %}",
    "{% set d.a = 2 %}",
    "{% set x[0] = 2 %}",
    "{% set s|upper = 2 %}",
    "{% set x = 1 %}{% set x = x + 1 %}{{ x }}",
    "{% set x %}body {{ n }}{% endset %}[{{ x }}]",
    "{% set x | upper %}body {{ n }}{% endset %}[{{ x }}]",
    "{% set x | upper | replace('B', 'C') %}body{% endset %}[{{ x }}]",
    "{% set x %}{% set y = 1 %}{{ y }}{% endset %}{{ x }}{{ y }}",
    "{% set ns = namespace(a=1) %}{% set ns.a = ns.a + 1 %}{{ ns.a }}{{ ns }}",
    "{% set ns = namespace() %}{% set ns.a, ns.b = 1, 2 %}{{ ns.a }}{{ ns.b }}",
    "{% set ns = namespace() %}{% set ns.t %}x{% endset %}{{ ns.t }}",
    "{% set ns = namespace(i=0) %}{% for x in xs %}{% set ns.i = ns.i + x %}{% endfor %}{{ ns.i }}",
    "{% set i = 0 %}{% for x in xs %}{% set i = i + x %}{{ i }};{% endfor %}{{ i }}",
    "{% set ns.a = 1 %}",
    "{% set missing.a = 1 %}",
    "{% if yes %}a{% endif %}",
    "{% if no %}a{% else %}b{% endif %}",
    "{% if no %}a{% elif yes %}b{% else %}c{% endif %}",
    "{% if no %}a{% elif no %}b{% else %}c{% endif %}",
    "{% if missing %}a{% else %}b{% endif %}",
    "{% if 1, 2 %}a{% endif %}",
    "{% if %}a{% endif %}",
    "{% if yes %}a",
    "{% if yes %}a{% else %}b{% else %}c{% endif %}",
    "{% if yes: %}a{% endif %}",
    "{% endif %}",
    "{% if yes %}{% set z = 5 %}{% endif %}{{ z }}",
    "{% if no %}{% set z = 5 %}{% endif %}{{ z }}",
    "{% if yes and (no or n == 7) %}deep{% endif %}",
    "{% if not (no) %}a{% endif %}",
    "{% if not no and not(no) %}a{% endif %}",
    "{% for x in xs %}{{ x }},{% endfor %}",
    "{% for x in nothing %}a{% else %}none{% endfor %}",
    "{% for x in xs %}{{ x }}{% else %}none{% endfor %}",
    "{% for x in missing %}a{% else %}none{% endfor %}",
    "{% for x in none %}a{% endfor %}",
    "{% for x in 5 %}a{% endfor %}",
    "{% for c in u %}{{ c }}|{% endfor %}",
    "{% for k in d %}{{ k }}{% endfor %}",
    "{% for k, v in d.items() %}{{ k }}={{ v }};{% endfor %}",
    "{% for k, v in d|items %}{{ k }}={{ v }}{% if not loop.last %}, {% endif %}{% endfor %}",
    "{% for k, v in d|dictsort %}{{ k }}={{ v }};{% endfor %}",
    "{% for k, v in d %}{{ k }}{% endfor %}",
    "{% for a, b in [(1, 2), [3, 4], 'xy'] %}{{ a }}-{{ b }};{% endfor %}",
    "{% for a, (b, c) in [(1, (2, 3))] %}{{ a }}{{ b }}{{ c }}{% endfor %}",
    "{% for (a, b) in [(1, 2)] %}{{ a }}{{ b }}{% endfor %}",
    "{% for a, b in [(1, 2, 3)] %}{{ a }}{% endfor %}",
    "{% for x in xs if x > 1 %}{{ x }}{{ loop.index }}{{ loop.length }}{{ loop.last }};{% endfor %}",
    "{% for x in xs if x > 5 %}{{ x }}{% else %}none{% endfor %}",
    "{% for k, v in d.items() if k != 'a' %}{{ k }}{{ '' if loop.last else ',' }}{% endfor %}",
    "{% for x in xs if loop.index > 1 %}{{ x }}{% endfor %}",
    "{% for x in xs %}{{ loop.index }}{{ loop.index0 }}{{ loop.revindex }}{{ loop.revindex0 }}"
    "{{ loop.first }}{{ loop.last }}{{ loop.length }}{{ loop.depth }}{{ loop.depth0 }};{% endfor %}",
    "{% for x in xs %}{{ loop.previtem }}<{{ x }}>{{ loop.nextitem }};{% endfor %}",
    "{% for x in xs %}{{ loop.previtem is defined }}{{ loop.nextitem is defined }};{% endfor %}",
    "{% for x in xs %}{{ loop.cycle('a', 'b') }}{{ loop.changed(x > 1) }};{% endfor %}",
    "{% for x in xs %}{{ loop.cycle() }}{% endfor %}",
    "{% for x in xs %}{{ loop.nope }}{{ loop['index'] }}{% endfor %}",
    "{% for x in xs %}{{ loop }}{% endfor %}",
    "{% for x in xs|map('string') %}{{ x }}{{ loop.last }}{{ loop.length }};{% endfor %}",
    "{% for x in xs|map('string') %}{{ x }}{{ loop.revindex }};{% endfor %}",
    "{% for x in xs|select('odd') %}{{ x }}{{ loop.nextitem }};{% endfor %}",
    "{% set g = xs|map('string') %}{% for x in g %}{{ x }}{% endfor %}[{% for x in g %}{{ x }}{% endfor %}]",
    "{% set g = xs|map('string') %}{{ g|first }}{{ g|list }}",
    "{% for x in xs %}{% for y in xs %}{{ loop.index }}{% endfor %}{{ loop.index }};{% endfor %}",
    "{% for x in xs %}{% set outer = loop %}{% for y in [1, 2] %}{{ outer.index }}{{ loop.index }} {% endfor %}{% endfor %}",
    "{% for x in xs %}{% if x == 1 %}{% break %}{% endif %}{{ x }}{% endfor %}",
    "{% for x in xs %}{% if x == 1 %}{% continue %}{% endif %}{{ x }}{% endfor %}",
    "{% for x in xs %}{% continue %}{% else %}none{% endfor %}",
    "{% for x in xs %}{% break %}{% else %}none{% endfor %}",
    "{% for x in xs %}{{ x }}{% break %}{% else %}none{% endfor %}",
    "{% for x in xs %}{% for y in xs %}{% break %}{% endfor %}{{ x }}{% endfor %}",
    "{% break %}",
    "{% continue %}",
    "{% for x in xs %}{% endfor %}{% break %}",
    "{% for x in xs %}a{% else %}{% break %}{% endfor %}",
    "{% for y in xs %}{% for x in [] %}a{% else %}{% break %}{% endfor %}b{% endfor %}c",
    "{% for x in xs %}{% macro m() %}{% break %}{% endmacro %}{% endfor %}",
    "{% for x in xs %}{% generation %}{% break %}{% endgeneration %}{% endfor %}",
    "{% for x in xs %}{% set y %}{{ x }}{% if x == 1 %}{% break %}{% endif %}{% endset %}{{ y }}{% endfor %}!",
    "{% for x in xs %}{% filter upper %}a{% if x == 1 %}{% break %}{% endif %}{% endfilter %}{% endfor %}!",
    "{% for x in xs %}{% with %}{% if x == 1 %}{% continue %}{% endif %}{{ x }}{% endwith %}{% endfor %}!",
    "{% for x in xs %}{% set loop = 1 %}{% endfor %}",
    "{% for loop in xs %}{% endfor %}",
    "{% for x in xs %}{% with loop = 1 %}{{ loop }}{% endwith %}{% endfor %}",
    "{% for x in xs %}{{ x }}",
    "{% for x xs %}{% endfor %}",
    "{% for in xs %}{% endfor %}",
    "{% for x in %}{% endfor %}",
    "{% for x in 1, 2, 3 %}{{ x }}{% endfor %}",
    "{% for x in (1, 2) %}{{ x }}{% endfor %}",
    "{% for x in 1, %}{{ x }}{% endfor %}",
    "{% for x in xs if yes else [] %}{{ x }}{% endfor %}",
    "{% for x in (xs if yes else []) %}{{ x }}{% endfor %}",
    "{% for x in range(3) %}{{ x }}{{ ',' if not loop.last }}{% endfor %}",
    "{% for x in xs[::-1] %}{{ x }}{% endfor %}",
    "{% for x in xs|reverse %}{{ x }}{{ loop.length }}{% endfor %}",
    "{% for x in xs %}{{ x }}{% endfor %}{{ x }}",
    "{% set x = 9 %}{% for x in xs %}{{ x }}{% endfor %}{{ x }}",
    "{% set xs = [1] %}{% for x in xs %}{% set xs = [] %}{{ xs|length }}{% endfor %}{{ xs|length }}",
    "{% for n in tree recursive %}{{ n.v }}({{ loop(n.c) }}){% endfor %}",
    "{% for n in tree recursive %}{{ loop.depth }}:{{ n.v }} {{ loop(n.c) if n.c }}{% endfor %}",
    "{% for n in tree recursive %}{{ n.v }}{{ loop(n.c) }}{% else %}.{% endfor %}",
    "{% for n in tree %}{{ loop(n.c) }}{% endfor %}",
    "{% for user in users %}{{ user.name }}{% for t in user.tags %}[{{ t }}]{% endfor %}{% endfor %}",
    "{% macro m() %}x{% endmacro %}{{ m() }}{{ m() }}",
    "{% macro m(a) %}<{{ a }}>{% endmacro %}{{ m(1) }}{{ m('x') }}{{ m() }}",
    "{% macro m(a, b=2) %}{{ a }}{{ b }}{% endmacro %}{{ m(1) }}{{ m(1, 3) }}{{ m(b=4, a=5) }}{{ m(1, b=6) }}",
    "{% macro m(a, b=a) %}{{ a }}{{ b }}{% endmacro %}{{ m(1) }}",
    "{% macro m(a=b, b=1) %}{{ a }}{{ b }}{% endmacro %}{{ m() }}",
    "{% macro m(a, a) %}{% endmacro %}{{ m(1, 2) }}",
    "{% macro m(a=1, b) %}{% endmacro %}",
    "{% macro m(a) %}{% endmacro %}{{ m(1, 2) }}",
    "{% macro m(a) %}{% endmacro %}{{ m(z=2) }}",
    "{% macro m(a) %}{{ a }}{% endmacro %}{{ m(1, a=2) }}",
    "{% macro m() %}{{ varargs }}{{ kwargs }}{% endmacro %}{{ m(1, 2, x=3) }}",
    "{% macro m(a) %}{{ a }}{{ varargs }}{% endmacro %}{{ m(1, 2) }}",
    "{% macro m(a) %}{{ kwargs }}{% endmacro %}{{ m(1, b=2, c=3) }}",
    "{% macro m() %}{{ caller() }}{% endmacro %}{% call m() %}body{% endcall %}",
    "{% macro m() %}{{ caller(1) }}{{ caller(2) }}{% endmacro %}{% call(i) m() %}<{{ i }}>{% endcall %}",
    "{% macro m() %}{% endmacro %}{% call m() %}body{% endcall %}",
    "{% macro m() %}{{ caller() }}{% endmacro %}{{ m() }}",
    "{% macro m() %}{{ caller is defined }}{% endmacro %}{{ m() }}",
    "{% macro m(caller) %}{{ caller() }}{% endmacro %}{% call m() %}x{% endcall %}",
    "{% macro m(caller=none) %}{{ caller() }}{% endmacro %}{% call m() %}x{% endcall %}",
    "{% macro m(x) %}{{ x }}:{{ caller() }}{% endmacro %}{% call m(n) %}b{{ n }}{% endcall %}",
    "{% call nope() %}x{% endcall %}",
    "{% call m %}x{% endcall %}",
    "{% call range(3) %}x{% endcall %}",
    "{% macro m %}x{% endmacro %}",
    "{% macro m() %}{{ n }}{% endmacro %}{{ m() }}",
    "{% set q = 1 %}{% macro m() %}{{ q }}{% endmacro %}{% set q = 2 %}{{ m() }}",
    "{% macro m() %}{% set q = 5 %}{{ q }}{% endmacro %}{{ m() }}{{ q }}",
    "{% macro m() %}{{ inner() }}{% endmacro %}{% macro inner() %}i{% endmacro %}{{ m() }}",
    "{% macro f(i) %}{% if i > 0 %}{{ i }}{{ f(i - 1) }}{% endif %}{% endmacro %}{{ f(5) }}",
    "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
    "{% macro m(a) %}{{ a }}{% endmacro %}{{ m.name }}{{ m.arguments }}{{ m }}{{ m.catch_kwargs }}",
    "{% macro m() %}  x  {% endmacro %}{{ m()|trim }}|{{ m()|length }}",
    "{% macro m(ns) %}{% set ns.x = 1 %}{% endmacro %}{% set ns = namespace(x=0) %}{{ m(ns) }}{{ ns.x }}",
    "{% for i in xs %}{% macro m() %}{{ i }}{{ loop.index }}{% endmacro %}{{ m() }}{% endfor %}",
    "{% for i in xs %}{{ m() }}{% endfor %}{% macro m() %}{{ i }}{% endmacro %}",
    "{% macro m(x) %}{% for y in x %}{{ y }}{% endfor %}{% endmacro %}{{ m([1, 2]) }}{{ m('ab') }}",
    "{% macro m(x) %}{% if x is string %}{{ x }}{% elif x is mapping %}{% for k, v in x.items() %}"
    "{{ k }}:{{ m(v) }};{% endfor %}{% elif x is iterable %}[{% for y in x %}{{ m(y) }},{% endfor %}]"
    "{% else %}{{ x }}{% endif %}{% endmacro %}{{ m(deep) }}",
    "{% filter upper %}abc {{ s }}{% endfilter %}",
    "{% filter upper|replace('A', 'x') %}abc{% endfilter %}",
    "{% filter indent(2) %}a\nb{% endfilter %}",
    "{% filter nope %}a{% endfilter %}",
    "{% filter length %}a{% endfilter %}",
    "{% set x | length %}ab{% endset %}{{ x + 1 }}",
    "{% macro m() %}{{ caller() }}{% endmacro %}{% set f = s.split %}{% call f() %}x{% endcall %}",
    "{% set ns = namespace() %}{% set ns.self = ns %}{{ ns }}",
    "{% set ns = namespace(a=1) %}{% set ns.l = [ns.a, {'k': ns.a}] %}{{ ns }}",
    "{% with a = 1, b = 2 %}{{ a }}{{ b }}{% endwith %}{{ a }}",
    "{% with %}{% set a = 1 %}{{ a }}{% endwith %}{{ a }}",
    "{% with a = 1, b = a %}{{ b }}{% endwith %}",
    "{% with a, b = (1, 2) %}{{ a }}{% endwith %}",
    "{% print 1 %}{% print 1, 2, 'x' %}{% print %}",
    "{% generation %}x{{ n }}{% endgeneration %}",
    "{% generation %}{% set a = 1 %}{{ a }}{% endgeneration %}{{ a }}",
    "{% for x in xs %}{% generation %}{{ x }}{{ loop.index }}{% endgeneration %}{% endfor %}",
    "{% raw %}{{ x }}{% if %}{% endraw %}",
    "a {%- raw -%}  {{ x }}  {%- endraw -%} b",
    "{% raw %}x",
    "{%raw%}x{%endraw%}",
    "  {% raw %}\n x\n  {% endraw %}\ny",
    "{# comment #}x",
    "a{#- comment -#}  b",
    "a\n  {# comment #}\nb",
    "a {# {{ x }} {% if %} #} b",
    "{# unterminated",
    "{#- a #}\n{#+ b +#}\nc",
    "{##}x{#-#}y{#--#}z",
    "{% do xs %}",
    "{% include 'x' %}",
    "{% extends 'x' %}",
    "{% nope %}",
    "{% %}",
    "{{ }}",
    "{{",
    "{%",
    "{{ 1",
    "{{ 1 }",
    "{{ 1 %}",
    "{% if 1 }}",
    "}}",
    "%}",
    "{ { 1 } }",
    "{",
    "{a",
    "{{ '}}' }}",
    "{{ {'a': {'b': 1}}['a']['b'] }}",
    "{{ {'a': {'b': {}}}}}",
    "{{ '%}' }}{% if '%}' %}a{% endif %}",
    "{{- 1 -}}",
    "a  {{- 1 -}}  b",
    "a  {{+ 1 }}  b",
    "a  {{ 1 +}}  b",
    "a \n {{- 1 }} \n b",
    "a \n {{ 1 -}} \n b",
    "{{-1}}",
    "{{ -1}}",
    "{{ 1 - 1 }}{{1-1}}",
    "a\n{% if yes %}\nb\n{% endif %}\nc",
    "a\n  {% if yes %}\n  b\n  {% endif %}\nc",
    "a\n  {%+ if yes %}\n  b\n  {%+ endif %}\nc",
    "a\n  {% if yes +%}\n  b\n  {% endif +%}\nc",
    "a\n  {%- if yes %}\n  b\n  {%- endif %}\nc",
    "a\n  {% if yes -%}\n  b\n  {% endif -%}\nc",
    "a\n  {%- if yes -%}\n  b\n  {%- endif -%}\nc",
    "  {% if yes %}x{% endif %}  ",
    "  x {% if yes %}y{% endif %}  ",
    "\t{% if yes %}x{% endif %}\t\n",
    "  {{ 1 }}  \n",
    "{% if yes %}\n\nx{% endif %}",
    "{% if yes %} \nx{% endif %}",
    "x\n",
    "x\n\n",
    "\n",
    "",
    "x\r\ny\rz\n",
    "{% if yes %}\r\nx{% endif %}\r\n",
    "{{ 'a\r\nb' }}",
    "{{ 'a\nb' }}|{{ s }}",
    "{{ 1 }}\n{{ 2 }}\n",
    "{% set x = 1 %}\n{% set y = 2 %}\n{{ x }}{{ y }}",
    "{%- set x = 1 -%}\n\n{{ x }}",
    "  {%- for x in xs %}\n  {{ x }}\n  {%- endfor %}\n",
    "{% for x in xs -%}\n  {{ x }}\n{%- endfor %}",
    "{% for x in xs %}\n  {{- x }}\n{% endfor %}",
    "{{ x\n+\n1 }}",
    "{{\n  n\n}}",
    "{%\nif yes\n%}a{%\nendif\n%}",
    "{% if yes %}{# c #}\n  x{% endif %}",
    "a {% if yes %} b {% endif %} c",
    "a\u00a0{%- if yes %}b{% endif %}",
    "a\n\u3000{% if yes %}b{% endif %}",
    "\u2028{%- if yes %}b{% endif %}",
    "{{ s }}{{ s|upper }}{{ s }}",
    "{% set a %}{% endset %}[{{ a }}]{{ a is string }}",
    "{% set a = missing %}{{ a is defined }}{{ a }}",
    "{% set a = none %}{{ a is defined }}{{ a }}",
    "{% set messages = messages[1:] %}{{ messages }}",
    "{% if not date_string is defined %}{% set date_string = 'x' %}{% endif %}{{ date_string }}",
    "{% if n is defined %}{% set n = n + 1 %}{% endif %}{{ n }}",
    "{% for x in xs %}{% if loop.first %}{% set acc = 'a' %}{% endif %}{{ acc }}{% endfor %}",
    "{% for x in xs %}{% if x == 1 %}{% set n = 100 %}{% endif %}{{ n }};{% endfor %}{{ n }}",
    "{% for x in xs %}{{ n }}{% set n = x %}{{ n }};{% endfor %}{{ n }}",
    "{% set ns = namespace(l=[]) %}{% for x in xs %}{% set ns.l = ns.l + [x * 2] %}{% endfor %}{{ ns.l }}",
    "{% set ns = namespace(found=false) %}{% for x in xs if not ns.found %}{% set ns.found = x == 1 %}{{ x }}{% endfor %}",
    "{% set c = cycler('a', 'b') %}{% for x in xs %}{{ c.next() }}{{ c.current }}{% endfor %}{{ c.reset() }}{{ c.current }}",
    "{% set j = joiner(', ') %}{% for x in xs %}{{ j() }}{{ x }}{% endfor %}",
    "{% set j = joiner() %}{{ j() }}{{ j() }}{{ j() }}",
    "{% set f = s.upper %}{{ f() }}",
    "{% set f = d.get %}{{ f('a') }}{{ f('z', 1) }}",
    "{% for name in ['upper', 'lower'] %}{{ s|attr(name) is callable }}{% endfor %}",
    "{{ raise_exception('bad ' ~ n) if n > 5 }}",
    "{% if n > 5 %}{{ raise_exception('bad') }}{% endif %}",
    "{% if n > 50 %}{{ raise_exception('bad') }}{% endif %}ok",
    "{% if n > 50 %}{{ n|nosuchfilter }}{% endif %}ok",
    "{% if n > 50 %}{% if n is nosuchtest %}{% endif %}{% endif %}ok",
    "{{ n|nosuchfilter if n > 50 else 'ok' }}",
    "{% for i in range(3) %}{% for j in range(3) %}{% if i == j %}{% continue %}{% endif %}{{ i }}{{ j }} {% endfor %}{% endfor %}",
    "{% for i in range(100001) %}{% endfor %}",
    "{% set l = [1, 2] %}{% set m = l %}{{ l is sameas m }}{{ l == m }}",
    "{{ d.items() | list | length }}{{ d|length }}",
    "{% for g in users|groupby('age') %}{{ g.grouper }}:{{ g.list|map(attribute='name')|join('+') }};{% endfor %}",
    "{% for age, group in users|groupby('age') %}{{ age }}={{ group|length }};{% endfor %}",
    "{% for row in xs|batch(2, '-') %}{{ row|join }};{% endfor %}",
    "{% for col in xs|slice(2) %}{{ col|join }};{% endfor %}",
    "{{ 'a' if missing else 'b' if missing else 'c' if yes }}",
    "{{ 1, 2 }}",
    "{{ 1, }}",
    "{{ (1, 2) ~ '' }}",
    "{{ s, n }}",
    "{% set t = s, n %}{{ t[1] }}",
    "{% if 'a' in {'a': none} %}y{% endif %}{{ {'a': none}.a is none }}{{ {'a': none}.get('a', 1) }}",
    "{{ {'a': 1}.b or 'dflt' }}",
    "{{ 'x' * 3 ~ '-' * 2 }}",
    "{% set a = 'x' %}{% set a = a * 1000000 %}{{ a|length }}",
    "{% set content %}{% for x in xs %}{{ x }}{% endfor %}{% endset %}{{ content }}{{ content|length }}",
    "{% set x = {'a': {'b': [1, {'c': 2}]}} %}{{ x.a.b[1].c }}{{ x['a'].b[-1]['c'] }}",
    "{% set keys = [] %}{% for k in d %}{% set _ = keys.append(k) %}{% endfor %}{{ keys }}",
    "{% set x = [1, 2, 3] %}{% set y = x.pop() %}",
    "{{ messages[0].role if messages else 'none' }}",
    "{{ messages[0].role }}",
    "{% for m in messages %}{{ m }}{% else %}no messages{% endfor %}",
    "{% macro esc(t) -%}\n  {{ t|replace('<', '&lt;') }}\n{%- endmacro %}\n{{ esc('<b>') }}\n",
    "{%- macro p(k, v) %}\n\n- {{ k }}: {{ v|tojson }}\n{%- endmacro %}{% for k, v in d|dictsort %}{{ p(k, v) }}{% endfor %}",
]


def main():
    sources = ["{{ %s }}" % e for e in expressions()] + STATEMENTS
    cases = [[source, render(source, **VARIABLES)] for source in sources]
    cases = [case for case in cases if " at 0x" not in (case[1] or "")]  # Nobody can print Python's addresses.
    print('{"variables": %s,\n"cases": [' % json.dumps(VARIABLES, ensure_ascii=False))
    print(",\n".join(json.dumps(case, ensure_ascii=False) for case in cases))
    print("]}")


if __name__ == "__main__":
    main()
