"""The English words that simulated sentences are made of, by class.

Our own list. In every entry the words before the first ``|`` belong to every size, those
before the second to ``small`` and ``base``, the rest to ``base`` alone. Marks on a word:
``~`` mass noun (no plural, no article where indefinite); ``*`` stative verb (no progressive)
or adjective without comparative.
"""

from __future__ import annotations

NOUNS: dict[str, str] = {
    "person": "man woman child | girl boy baby friend neighbor student | guest adult teenager twin "
    "visitor stranger customer tourist passenger player champion hero colleague beginner pupil "
    "owner partner patient tenant volunteer witness",
    "family": "mother | father brother sister son daughter uncle aunt | grandmother grandfather "
    "cousin husband wife parent nephew niece grandson granddaughter",
    "job": "teacher | doctor farmer driver nurse cook worker | waiter baker butcher painter singer "
    "dancer actor writer lawyer engineer dentist pilot sailor fisherman gardener hairdresser tailor "
    "mechanic plumber carpenter electrician cleaner secretary manager scientist librarian "
    "photographer musician clown guard detective translator architect coach",
    "animal": "dog | cat horse bird cow fish | sheep goat pig duck rabbit mouse bear wolf fox lion "
    "tiger elephant monkey snake frog bee spider butterfly owl deer hen turtle camel giraffe zebra "
    "donkey squirrel whale swan",
    "food": "apple bread~ soup~ | egg potato tomato orange onion carrot cake rice~ meat~ cheese~ "
    "sugar~ salt~ butter~ | banana pear lemon peach plum cherry grape strawberry melon cucumber "
    "pepper mushroom bean nut sandwich pizza sausage pancake cookie pie cabbage pumpkin honey~ "
    "flour~ pasta~ salad chocolate~ jam~ yogurt~ garlic~ bacon~ corn~ spinach~ cream~ oil~ vinegar~ "
    "candy lettuce dough~ sauce~",
    "drink": "water~ coffee~ | milk~ tea~ juice~ | wine~ beer~ lemonade~ cocoa~ medicine~",
    "clothing": "coat | hat shirt shoe dress | sock glove scarf jacket sweater skirt belt boot tie "
    "suit cap raincoat sandal uniform blouse apron helmet",
    "reading": "book | letter newspaper | magazine poem story novel recipe map diary postcard report "
    "contract article menu card dictionary poster message note",
    "object": "bag | key phone ball lamp clock picture umbrella box | camera watch ring candle mirror "
    "pillow blanket basket suitcase wallet purse toy doll balloon kite bottle vase brush comb towel "
    "rope battery coin stamp ticket flag gift pencil pen envelope necklace",
    "tool": "knife | spoon pot hammer | fork pan saw needle drill shovel broom bucket ladder "
    "screwdriver wrench sponge nail screw axe",
    "container": "| bowl cup glass | jar drawer fridge oven basin tray cupboard dish freezer",
    "device": "| computer machine radio television | printer heater fan robot tablet keyboard screen "
    "engine microphone calculator telescope",
    "furniture": "table | chair bed | sofa desk shelf carpet curtain bench stool wardrobe cradle",
    "vehicle": "car | bus train bicycle boat plane | ship truck taxi tram motorcycle helicopter van "
    "tractor scooter rocket wagon ambulance",
    "place_in": "house | city garden park kitchen village forest | bathroom bedroom factory castle "
    "mall museum library hospital tunnel cellar attic garage zoo church tent cave hallway classroom "
    "jungle suburb laboratory",
    "place_at": "school market | station airport restaurant shop bank | theater cinema hotel stadium "
    "bakery pharmacy office pool harbor gym border university embassy farm cafe",
    "place_on": "| beach hill mountain | island coast square roof street balcony platform",
    "region": "north | south east west valley | desert plain region capital country",
    "opening": "| door window | gate elevator",
    "building": "| bridge wall road | fence tower chimney building stair fountain statue pipe",
    "body": "| hand head foot eye back | arm leg ear nose finger knee shoulder tooth neck face stomach "
    "toe elbow chest lip",
    "weather": "| storm wind~ fog~ cloud sun | frost~ hail~ lightning~ thunder~ breeze flood rainbow "
    "heat~",
    "climate": "| weather~",
    "nature": "| tree flower river | leaf stone star moon branch bush rose seed lake wave sky "
    "grass~ sand~ mushroom fire",
    "event": "| party meeting lesson | wedding concert game festival exam competition ceremony "
    "birthday holiday trip match election conference exhibition parade",
    "actor": "| president minister mayor judge | government king queen soldier journalist officer "
    "firefighter court parliament union company army council ambassador committee senator",
    "affair": "| law plan price problem | tax decision treaty crisis strike vote protest budget reform "
    "result debt accident scandal campaign project agreement investigation proposal rule",
    "money": "| money~ | salary pension loan",
    "subject": "| mathematics~ history~ music~ | science~ art~ geography~ biology~ chemistry~ physics~ "
    "grammar~ philosophy~",
    "sport": "| football~ tennis~ chess~ | basketball~ hockey~ volleyball~ golf~ rugby~ cricket~",
    "instrument": "| guitar piano | violin drum flute trumpet harp accordion",
    "illness": "| cold fever | headache cough allergy flu~ toothache injury",
    "measure": "| spoon cup glass | liter gram slice bag bottle",
}

GROUPS: dict[str, tuple[str, ...]] = {
    "human": ("person", "family", "job"),
    "being": ("person", "family", "job", "animal"),
    "official": ("actor",),
    "edible": ("food",),
    "portable": ("object", "tool", "reading", "clothing"),
    "ware": (
        "object",
        "clothing",
        "food",
        "drink",
        "vehicle",
        "furniture",
        "device",
        "reading",
        "tool",
    ),
    "thing": (
        "object",
        "clothing",
        "furniture",
        "device",
        "tool",
        "vehicle",
        "opening",
        "building",
        "container",
    ),
    "place": ("place_in", "place_at", "place_on"),
    "visible": ("person", "animal", "object", "vehicle", "opening", "building", "nature", "job"),
    "machine": ("device", "vehicle"),
    "public": ("place_in", "place_at", "building"),
}

# domain, who, object ("" for none, "goal" for a place gone to, "to:X" for X given to a person), verbs
VERBS: tuple[tuple[str, str, str, str], ...] = (
    ("daily", "human", "edible", "eat | cook prepare taste | bake fry burn serve share chew"),
    ("daily", "human", "drink", "drink | pour | spill sip"),
    ("daily", "human", "ware", "buy sell | need* want* | choose order exchange steal rent"),
    ("daily", "human", "reading", "read | write | print copy translate publish"),
    ("daily", "human", "clothing", "| wear wash | iron sew fold knit"),
    ("daily", "human", "object", "| lose carry hide | break wrap paint collect drop throw catch"),
    ("daily", "human", "visible", "see* | find draw | notice* admire photograph recognize* touch follow"),
    ("daily", "human", "being", "love* | help meet know* | hug remember* miss* feed call trust* scare wake"),
    ("daily", "human", "machine", "| repair | test clean start stop"),
    ("daily", "human", "vehicle", "| drive | park push pull"),
    ("daily", "human", "furniture", "| move | build polish"),
    ("daily", "human", "subject", "| learn teach study | understand* hate*"),
    ("daily", "human", "sport", "| play | practice watch"),
    ("daily", "human", "instrument", "| play | practice tune"),
    ("daily", "human", "event", "| enjoy | celebrate organize miss* postpone prepare"),
    ("daily", "human", "illness", "| have* | fear* survive"),
    ("daily", "human", "money", "| save spend | borrow earn count"),
    ("daily", "human", "nature", "| plant | paint touch photograph"),
    ("daily", "human", "place", "visit | like* | clean leave reach"),
    ("daily", "human", "", "sleep work | run swim laugh cry dance sing wait | smile jump rest cough "
     "sneeze dream shout whisper knock kneel climb exercise shave yawn fall relax listen argue"),
    ("daily", "animal", "", "| jump bite | hunt hide drown swim run sleep"),
    ("daily", "animal", "edible", "| eat | smell* steal chew"),
    ("daily", "animal", "animal", "| chase | follow fear* bite attack"),
    ("daily", "human", "goal", "go | walk travel return | hurry fly cycle rush sail"),
    ("daily", "human", "to:portable", "give | show send bring | offer lend explain throw hand"),
    ("instructions", "human", "food", "cut | wash boil peel mix | chop slice grate heat cool stir melt "
     "roast freeze weigh squeeze rinse fry"),
    ("instructions", "human", "opening", "| open close | lock decorate"),
    ("instructions", "human", "building", "| | measure paint"),
    ("instructions", "human", "device", "| turn | install press connect charge repair"),
    ("instructions", "human", "object", "| hold | attach lift open close remove shake tie label"),
    ("instructions", "human", "clothing", "| dry | hang brush fold"),
    ("instructions", "human", "body", "| wash raise | bend stretch shake dry"),
    ("news", "official", "public", "visit | open close build | inspect destroy rebuild protect defend "
     "search occupy evacuate"),
    ("news", "official", "affair", "| discuss support reject | announce sign change explain criticize "
     "approve delay cancel condemn investigate solve describe"),
    ("news", "official", "job", "| thank punish | arrest rescue accuse question invite praise dismiss"),
    ("news", "official", "money", "| promise | demand raise"),
    ("news", "official", "", "| win lose | resign arrive apologize negotiate vote protest"),
    ("news", "official", "goal", "| travel | fly march return"),
    ("weather", "", "", "rain snow | freeze | hail thunder drizzle"),
    ("weather", "weather", "", "| come | disappear weaken strengthen return approach"),
)  # fmt: skip

ADJECTIVES: dict[str, str] = {
    "human": "happy tired old | young sick hungry strong sad angry kind busy | nervous proud shy polite "
    "brave lazy clever famous lonely thirsty calm honest friendly rich poor healthy jealous curious "
    "rude patient quiet tall deaf* blind* married* pregnant* serious funny bored",
    "animal": "| hungry strong young big small | wild tame hungry fast slow lazy brave dangerous",
    "thing": "big new | small old red* blue* green* white* black* heavy expensive cheap beautiful long "
    "clean dirty | yellow* brown* gray* pink* purple* round* square* soft hard light thin thick empty* full* "
    "broken* modern wooden* strange useful ugly wide narrow smooth sharp golden* plastic* metal* "
    "shiny wet dry",
    "food": "good | hot cold fresh sweet bad | salty sour spicy bitter ripe raw* delicious frozen* tasty "
    "dry juicy crispy",
    "drink": "good | hot cold fresh | bitter warm",
    "place": "big | quiet new old | crowded empty* modern ancient dark bright famous dangerous noisy safe "
    "distant",
    "air": "cold warm | hot windy cloudy dry wet | sunny foggy icy stormy rainy mild humid cool stuffy",
    "weather": "| strong weak | dangerous violent sudden terrible",
    "reading": "good | new long boring | short interesting funny sad difficult important famous",
    "affair": "| important new difficult | dangerous unpopular fair secret serious expensive urgent "
    "complicated historic",
    "nature": "| big beautiful | old small tall bright",
    "event": "| long boring | short beautiful important noisy successful interesting",
    "official": "| new old | famous popular powerful corrupt honest angry tired foreign*",
}

ADVERBS = "| quickly slowly carefully | quietly loudly happily secretly suddenly together alone badly well"
FREQUENCIES = "| always often sometimes | usually rarely"
NUMBERS = (
    "two three | four five six ten | seven eight nine eleven twelve twenty fifty hundred thousand"
)
QUANTIFIERS = "many | all some every few | several most"
MODALS = "can | must should | might"
CONTROLS = "want* | try like* need* | hope* plan start refuse decide learn love* hate* promise"
REPORTS = "| say think* | believe* hope* fear* claim explain announce"
DAYS = "| monday friday sunday | tuesday wednesday thursday saturday"
PERIODS = (
    "| day night week year | morning evening month summer winter spring autumn weekend afternoon"
)
TIMES: dict[str, str] = {
    "past": "yesterday | | recently earlier",
    "present": "today | now | currently",
    "future": "tomorrow | soon tonight | later",
}
PORTION = "| add"
CONTAIN = "| put"
NEAR = "| near behind | under beside above"
WHS = "who what where | when why how"
MARKERS = "not finish that | first then last next every ago more very if because and but never from"
PRONOUNS = "i you he she | we they"
POSSESSIVES = "my | your his her | our their"
NAMES = (
    "| Anna Ben Eva Tom Mia Leo Sam Ida Max Kim | Nora Otto Paul Rosa Hugo Vera Zoe Jan Lena Finn"
)

IRREGULAR_PLURALS = dict(
    pair.split(":")
    for pair in (
        "man:men woman:women child:children foot:feet tooth:teeth sheep:sheep fish:fish deer:deer "
        "mouse:mice wolf:wolves knife:knives shelf:shelves leaf:leaves wife:wives scarf:scarves "
        "fisherman:fishermen potato:potatoes tomato:tomatoes hero:heroes crisis:crises"
    ).split()
)
IRREGULAR_PASTS = dict(
    pair.split(":")
    for pair in (
        "eat:ate drink:drank buy:bought sell:sold read:read write:wrote wear:wore lose:lost hide:hid "
        "break:broke throw:threw catch:caught see:saw find:found draw:drew meet:met know:knew feed:fed "
        "wake:woke drive:drove build:built teach:taught understand:understood have:had spend:spent "
        "leave:left sleep:slept run:ran swim:swam sing:sang fall:fell bite:bit go:went fly:flew "
        "give:gave show:showed send:sent bring:brought lend:lent cut:cut freeze:froze hold:held "
        "hang:hung shake:shook bend:bent win:won come:came say:said think:thought steal:stole "
        "choose:chose rebuild:rebuilt put:put kneel:knelt"
    ).split()
)
IRREGULAR_COMPARATIVES = {"good": "better", "bad": "worse"}
