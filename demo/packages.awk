# packages.awk: turns Debian's package index (apt-cache dumpavail, on standard
# input) into five files for COPY, in the directory given with -v out=DIR.
#
# A package that appears more than once (another architecture) counts once, as
# it appears first.  Of the relations, Pre-Depends, Depends and Recommends are
# taken; every alternative of "a | b" is one relation; what several relations
# say about one target is joined; a target that is not in the index (a virtual
# package) is left out, as the last step, when all names are known.

function escape(text)
{
	gsub(/\\/, "\\\\", text)
	gsub(/\t/, " ", text)
	return text
}

# The number of a name within a kind of things; a new name gets a new number
# and is written out with the columns in "row".
function number(kind, name, row,    key)
{
	key = kind SUBSEP name
	if (!(key in numbers)) {
		numbers[key] = ++count[kind]
		print count[kind] "\t" row > (out "/tb_" kind)
	}
	return numbers[key]
}

# The relations of one field, strongest field first: the first kind stands.
function relations(text, kind,    i, j, n, m, groups, names, target, version)
{
	n = split(text, groups, /, */)
	for (i = 1; i <= n; i++) {
		m = split(groups[i], names, / *\| */)
		for (j = 1; j <= m; j++) {
			target = version = names[j]
			sub(/[ :(].*/, "", target)
			if (target == "")
				continue
			if (!sub(/^[^(]*\( */, "", version))
				version = ""
			sub(/ *\).*/, "", version)
			if (!(target in kinds)) {
				kinds[target] = kind
				order[++targets] = target
				versions[target] = version
			} else if (version != "" && \
					index(", " versions[target] ",", ", " version ",") == 0)
				versions[target] = versions[target] \
					(versions[target] == "" ? "" : ", ") version
		}
	}
}

function package(    name, source, person, email, section, pk, i)
{
	name = field["Package"]
	if (name == "" || name in packages)
		return
	packages[name] = pk = ++count["package"]

	source = ("Source" in field) ? field["Source"] : name
	sub(/ .*/, "", source)
	person = ("Maintainer" in field) ? field["Maintainer"] : "unknown"
	email = ""
	if (match(person, /<[^>]*>/)) {
		email = tolower(substr(person, RSTART + 1, RLENGTH - 2))
		person = substr(person, 1, RSTART - 1)
		sub(/ +$/, "", person)
	}
	if (email == "")
		email = "unknown"
	section = ("Section" in field) ? field["Section"] : "unknown"

	print pk "\t" number("source", source, escape(source)) \
		"\t" number("maintainer", email, escape(person) "\t" escape(email)) \
		"\t" number("section", section, escape(section)) \
		"\t" escape(name) "\t" escape(field["Version"]) \
		"\t" escape(field["Architecture"]) \
		"\t" (field["Installed-Size"] + 0) \
		"\t" escape(field["Description"]) > (out "/tb_package")

	targets = 0
	relations(field["Pre-Depends"], "pre-depends")
	relations(field["Depends"], "depends")
	relations(field["Recommends"], "recommends")
	for (i = 1; i <= targets; i++) {
		found++
		from[found] = pk
		to[found] = order[i]
		rest[found] = kinds[order[i]] "\t" escape(versions[order[i]])
	}
	split("", kinds)
	split("", versions)
}

/^[A-Za-z]/ {
	colon = index($0, ":")
	field[substr($0, 1, colon - 1)] = substr($0, colon + 2)
}

/^$/ {
	package()
	split("", field)
}

END {
	package()
	for (i = 1; i <= found; i++)
		if (to[i] in packages)
			print ++count["dependency"] "\t" from[i] "\t" packages[to[i]] \
				"\t" rest[i] > (out "/tb_dependency")
}
