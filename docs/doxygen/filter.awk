# Makes doxygen's comments of the headers' own: the text that opens a header becomes that of its file, and in C a ruled
# comment opens a group. Pages in Markdown get a label of their own.
FNR == 1 {
    page = FILENAME ~ /\.md$/ && FILENAME !~ /index\.md$/
    if (page) {
        name = FILENAME
        sub(/.*\//, "", name)
        sub(/\.md$/, "", name)
        print $0 " {#" name "_page}"
        next
    }
    if (/^\/\* /) {
        name = FILENAME
        sub(/.*\//, "", name)
        sub(/^\/\* /, "/** @file " name "\n * @brief ")
        print
        inside = 1
        next
    }
}
FILENAME ~ /\.md$/ {
    gsub(/\]\(statuses\.md\)/, "](#statuses_page)")
    gsub(/\]\(errors\.md\)/, "](#errors_page)")
    $0 = gensub_links($0)
    print
    next
}
/^\/\* -+$/ && FILENAME ~ /\.h$/ {
    getline
    sub(/^ \* */, "")
    closing = sub(/ *\*\/$/, "")
    group = tolower($0)
    gsub(/[^a-z]+/, "_", group)
    if (open)
        print "/** @} */"
    open = 1
    title = substr($0, 1, 1) tolower(substr($0, 2))
    sub(/Onnx runtime/, "ONNX Runtime", title)
    print "/** @defgroup " group " " title
    opening = 1
    if (closing)
        close_group()
    next
}
opening && /\*\/$/ {
    sub(/ *\*\/$/, "")
    print escaped($0)
    close_group()
    next
}
open && /^#ifdef __cplusplus$/ {
    print "/** @} */"
    open = 0
}
{
    if (/\/\*/)
        inside = 1
    print inside ? escaped($0) : $0
    if (/\*\//)
        inside = 0
}

function close_group() {
    print " * @{ */"
    opening = 0
}

# What is written in a comment is text, no command of doxygen's.
function escaped(line) {
    gsub(/\\/, "\\\\\\\\", line)
    return line
}

# Pages that are not on the site are named, not linked.
function gensub_links(line) {
    while (match(line, /\[[^]]*\]\([a-z-]+\.md\)/)) {
        text = substr(line, RSTART + 1, RLENGTH - 2)
        sub(/\].*/, "", text)
        line = substr(line, 1, RSTART - 1) text substr(line, RSTART + RLENGTH)
    }
    return line
}
